"""The schedules of rated_usage: one rates the trailing closed hours again, because events arrive late; one seals old hours."""

from datetime import UTC, datetime

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.assets.jobs import ASSET_JOBS
from wxyc_assets.assets.rated_usage.seal_job import seal_hours
from wxyc_assets.database.billing import NO_BILLING, has_billing
from wxyc_assets.orchestration.dead_runs import sweep
from wxyc_assets.runs.partitions import WindowError, range_tags, trailing_keys
from wxyc_assets.settings import RatingSettings

FIVE_PAST = "5 * * * *"
"""UTC, as all windows are; five minutes for the events of the hour that has just closed."""


@dg.schedule(
    name="rate_trailing_hours",
    cron_schedule=FIVE_PAST,
    execution_timezone="UTC",
    job=ASSET_JOBS["rated_usage"],
    description=(
        "Rates the last RATE_TRAILING_HOURS closed hours at five past every hour, as one run. The run is routine: it fails "
        "if it deletes a billed row."
    ),
)
def rate_trailing_hours(
    context: dg.ScheduleEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    billing_postgres: dg.ResourceParam[Postgres],
    rating_settings: dg.ResourceParam[RatingSettings],
) -> dg.RunRequest | dg.SkipReason:
    """Request one run over a range of hours. Its run key names the tick, so that a crash cannot request it twice."""
    sweep(context.instance, postgres, billing_postgres, context.log)
    with billing_postgres.connect() as connection:
        if not has_billing(connection):
            return dg.SkipReason(NO_BILLING)
    tick = context.scheduled_execution_time.astimezone(UTC)
    try:
        first, last = trailing_keys(tick, rating_settings.trailing_hours, rating_settings.first_hour)
    except WindowError as nothing_to_rate:
        return dg.SkipReason(str(nothing_to_rate))
    return dg.RunRequest(run_key=_tick_key(tick), tags=range_tags(first, last))


@dg.schedule(
    name="seal_old_hours",
    cron_schedule="40 5 * * *",
    execution_timezone="UTC",
    job=seal_hours,
    description=(
        "Seals every rated hour that is older than SEAL_AFTER_HOURS, every day at 05:40 UTC. Off until it is switched on: "
        "no run changes the bill of a sealed hour."
    ),
)
def seal_old_hours(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Request one run. Its run key names the tick, so that a crash cannot request it twice."""
    return dg.RunRequest(
        run_key=f"seal {context.scheduled_execution_time.astimezone(UTC).isoformat(timespec='minutes')}"
    )


def _tick_key(tick: datetime) -> str:
    return f"rated_usage {tick.isoformat(timespec='minutes')}"
