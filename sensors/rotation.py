"""The schedules of the rotation: its identities every night, and an hour later the cache of the day for them."""

from datetime import UTC, datetime

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.dead_runs import sweep

Asked = dg.RunRequest | dg.SkipReason

IDENTITIES_AT = "30 3 * * *"
CACHE_AT = "30 4 * * *"
"""UTC, as the predecessor's: before dawn at the station, and early in the day of UTC whose cache is warmed."""


@dg.schedule(
    name="nightly_rotation_identity",
    target=dg.AssetSelection.assets("rotation_identity"),
    cron_schedule=IDENTITIES_AT,
    execution_timezone="UTC",
    description="Asks for the identities of what came into rotation, every night at 03:30 UTC.",
)
def nightly_rotation_identity(context: dg.ScheduleEvaluationContext, postgres: dg.ResourceParam[Postgres]) -> Asked:
    """Ask for it, unless the night is over."""
    return _too_late(context) or _asked(context, postgres, dg.RunRequest())


@dg.schedule(
    name="daily_rotation_cache",
    target=dg.AssetSelection.assets("rotation_cache"),
    cron_schedule=CACHE_AT,
    execution_timezone="UTC",
    description="Asks for the cache of the day, every day at 04:30 UTC, an hour after the identities that it is warmed for.",
)
def daily_rotation_cache(context: dg.ScheduleEvaluationContext, postgres: dg.ResourceParam[Postgres]) -> Asked:
    """Ask for today's partition, unless the tick is another day's."""
    day = _day_of(context)
    return _too_late(context) or _asked(context, postgres, dg.RunRequest(run_key=day, partition_key=day))


def _day_of(context: dg.ScheduleEvaluationContext) -> str:
    return context.scheduled_execution_time.astimezone(UTC).date().isoformat()


def _too_late(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | None:
    """Skip the tick of a day that is over: a daemon that was down makes up for several at once, and each would be refused."""
    day, today = _day_of(context), datetime.now(UTC).date().isoformat()
    if day == today:
        return None
    return dg.SkipReason(
        f"this tick is of {day}, and today is {today}: what the rotation is now, today's tick asks for"
    )


def _asked(context: dg.ScheduleEvaluationContext, postgres: Postgres, request: dg.RunRequest) -> dg.RunRequest:
    """Ask, once runs are ended whose process is gone: they would only block and mislead."""
    sweep(context.instance, postgres, context.log)
    return request
