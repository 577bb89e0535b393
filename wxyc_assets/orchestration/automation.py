"""Automation conditions: a shard is requested after the same shard of its upstream asset, and once a day."""

import dagster as dg

Condition = dg.AutomationCondition


def follows(upstream: str, *, daily: str, whole_runs: bool) -> dg.AutomationCondition:
    """Return the condition of an asset whose shards follow those of ``upstream``.

    A shard is requested once after each materialization of the same shard of ``upstream``, and once a day, whether or not the
    requested run succeeds: a shard that fails is requested again after the next materialization upstream, or on the next day.
    While any run of the asset is queued or running, no shard is requested: the new run would wait for locks and be refused.
    Updates in that time are requested afterwards.

    Args:
        upstream: the asset's name. Other upstream assets request nothing: the flowsheet changes with every play.
        daily: a cron expression, in UTC.
        whole_runs: wait until the run of ``upstream`` has ended, so that one run follows it instead of one for each tick;
            without, a shard is requested as soon as it is credited.
    """
    only_upstream = dg.AssetSelection.assets(upstream)
    updated: Condition = Condition.any_deps_match(Condition.newly_updated()).allow(only_upstream)
    running = Condition.in_progress() | _any_run_in_progress()
    # Stays true when the running run has finished the shard: it may have read the shard before the update.
    updated_meanwhile = (updated & running).since(Condition.newly_requested() | Condition.initial_evaluation())
    requested: Condition = updated.since_last_handled() | updated_meanwhile
    if whole_runs:
        requested &= ~Condition.any_deps_match(_any_run_in_progress()).allow(only_upstream)
    day: Condition = Condition.cron_tick_passed(daily, "UTC")
    # Never in one run with the upstream asset: Dagster leaves out what depends on an asset that credits its own partitions.
    with_upstream: Condition = Condition.any_deps_match(Condition.will_be_requested()).allow(only_upstream)
    return ((requested | day.since_last_handled()) & ~running & ~with_upstream).with_label(
        f"after its shard of {upstream}, and daily"
    )


def _any_run_in_progress() -> dg.AutomationCondition:
    """True for every shard while a run over any of them is queued or running.

    A shard that the run has credited is no longer in progress, but stays locked until the run ends, after its checks.
    """
    return Condition.any_checks_match(Condition.in_progress()).with_label("a run is at work")
