"""The schedules of the rotation: its identities every night, and the day's cache of them an hour later."""

from datetime import UTC, datetime

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.assets.jobs import ASSET_JOBS
from wxyc_assets.orchestration.dead_runs import sweep
from wxyc_assets.orchestration.partitions import add_day

Evaluation = dg.RunRequest | dg.SkipReason

IDENTITIES_AT = "30 3 * * *"
CACHE_AT = "30 4 * * *"
"""UTC, the times of the predecessor: before dawn at the station, and early in the UTC day whose cache is warmed."""


@dg.schedule(
    name="nightly_rotation_identity",
    job=ASSET_JOBS["rotation_identity"],
    cron_schedule=IDENTITIES_AT,
    execution_timezone="UTC",
    description="Requests the identities of new releases in rotation, every night at 03:30 UTC.",
)
def nightly_rotation_identity(
    context: dg.ScheduleEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    billing_postgres: dg.ResourceParam[Postgres],
) -> Evaluation:
    """Request a run, unless the day of the tick is over."""
    return _too_late(context) or _request(context, (postgres, billing_postgres), dg.RunRequest())


@dg.schedule(
    name="daily_rotation_cache",
    job=ASSET_JOBS["rotation_cache"],
    cron_schedule=CACHE_AT,
    execution_timezone="UTC",
    description="Requests the day's cache, every day at 04:30 UTC, an hour after the identities that it is warmed for.",
)
def daily_rotation_cache(
    context: dg.ScheduleEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    billing_postgres: dg.ResourceParam[Postgres],
) -> Evaluation:
    """Request today's partition, unless the tick is another day's."""
    day = _day_of(context)
    add_day(context.instance, day)
    return _too_late(context) or _request(
        context, (postgres, billing_postgres), dg.RunRequest(run_key=day, partition_key=day)
    )


def _day_of(context: dg.ScheduleEvaluationContext) -> str:
    return context.scheduled_execution_time.astimezone(UTC).date().isoformat()


def _too_late(context: dg.ScheduleEvaluationContext) -> dg.SkipReason | None:
    """Skip the tick of a day that is over: a daemon that was down evaluates several at once; the asset refuses past days."""
    day, today = _day_of(context), datetime.now(UTC).date().isoformat()
    if day == today:
        return None
    return dg.SkipReason(f"this tick is of {day}, and today is {today}: today's tick requests today's rotation")


def _request(
    context: dg.ScheduleEvaluationContext, databases: tuple[Postgres, Postgres], request: dg.RunRequest
) -> dg.RunRequest:
    """Return the request, after ending the runs whose process is gone: they would block the requested run."""
    sweep(context.instance, *databases, context.log)
    return request
