"""The hourly schedule of rated_usage: rates the trailing closed hours again, because events come late."""

from datetime import UTC, datetime

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.dead_runs import sweep
from wxyc_assets.partitions import range_tags
from wxyc_assets.rated_usage.windows import trailing_keys
from wxyc_assets.settings import RatingSettings

FIVE_PAST = "5 * * * *"
"""UTC, as all windows are; five minutes for the events of the hour that has just closed."""


@dg.schedule(
    name="rate_trailing_hours",
    cron_schedule=FIVE_PAST,
    execution_timezone="UTC",
    target=dg.AssetSelection.assets("rated_usage"),
    description=(
        "Rates the RATE_TRAILING_HOURS closed hours at five past every hour, as one run. A routine run: if it deletes a row "
        "that was billed, it fails."
    ),
)
def rate_trailing_hours(
    context: dg.ScheduleEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    rating_settings: dg.ResourceParam[RatingSettings],
) -> dg.RunRequest:
    """Ask for one run over a range of hours, under a key that names the tick, so that no crash can ask it twice."""
    sweep(context.instance, postgres, context.log)
    tick = context.scheduled_execution_time.astimezone(UTC)
    first, last = trailing_keys(tick, rating_settings.trailing_hours)
    return dg.RunRequest(run_key=_tick_key(tick), tags=range_tags(first, last))


def _tick_key(tick: datetime) -> str:
    return f"rated_usage {tick.isoformat(timespec='minutes')}"
