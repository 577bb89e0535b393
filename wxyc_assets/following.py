"""When a shard of an asset is asked for without a person: after the same shard of what it follows, and once a day."""

import dagster as dg

Condition = dg.AutomationCondition


def follows(upstream: str, *, daily: str, whole_runs: bool) -> dg.AutomationCondition:
    """Return the condition of an asset whose shards follow those of ``upstream``.

    A shard is asked for once each time that ``upstream`` was done for it, and once a day, whatever comes of it: one that
    fails is asked for again when ``upstream`` is done again, or on the next day. While a run of the asset waits or works,
    nothing is asked for, whatever its shards: it would wait for locks, and be refused. What comes meanwhile is remembered.

    Args:
        upstream: the asset's name. Others that the asset depends on ask for nothing: the flowsheet changes with every play.
        daily: a cron expression, in UTC.
        whole_runs: wait until the run of ``upstream`` has ended, so that one run does what else would take one for each look;
            without, a shard is asked for as soon as it is credited.
    """
    only = dg.AssetSelection.assets(upstream)
    came: Condition = Condition.any_deps_match(Condition.newly_updated()).allow(only)
    at_work = Condition.in_progress() | _any_run_at_work()
    # Not forgotten when the run that was at work is done with the shard: it may have looked before.
    came_meanwhile = (came & at_work).since(Condition.newly_requested() | Condition.initial_evaluation())
    asked: Condition = came.since_last_handled() | came_meanwhile
    if whole_runs:
        asked &= ~Condition.any_deps_match(_any_run_at_work()).allow(only)
    day: Condition = Condition.cron_tick_passed(daily, "UTC")
    # Both in one run would not do: what depends on an asset that credits its shards itself is left out of the asset's run.
    together: Condition = Condition.any_deps_match(Condition.will_be_requested()).allow(only)
    return ((asked | day.since_last_handled()) & ~at_work & ~together).with_label(
        f"after its shard of {upstream}, and daily"
    )


def _any_run_at_work() -> dg.AutomationCondition:
    """True for every shard while a run over any of them waits or works.

    A shard that a run has credited is in progress no more, but locked until the run ends; the run's checks come last.
    """
    return Condition.any_checks_match(Condition.in_progress()).with_label("a run is at work")
