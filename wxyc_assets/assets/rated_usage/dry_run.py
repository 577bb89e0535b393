"""The plan of rated_usage: it rates the hours and rolls back, and shows the rows and the money that a run would move."""

from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from wxyc_assets.assets.rated_usage.asset import build_request, open_tools
from wxyc_assets.assets.rated_usage.plan import plan_markdown
from wxyc_assets.assets.rated_usage.run import run
from wxyc_assets.orchestration.dry_runs import dry_run_job, publish_dry_run
from wxyc_assets.runs.partitions import WindowError, hour_key, hour_of, hours_between, window_keys
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import RatingSettings


class PlanConfig(dg.Config):
    """The hours of a plan: a window, or single hours."""

    since: str | None = Field(
        default=None, description="the first hour, such as 2026-06-08T10:00:00Z; by default the trailing closed hours"
    )
    until: str | None = Field(
        default=None, description="the hour before which the window ends; by default the hour that is not closed yet"
    )
    hours: list[str] | None = Field(
        default=None, description="partition keys, such as 2026-06-08-10:00, instead of a window"
    )
    prices: str | None = Field(
        default=None, description="the beginning of the SHA-256 of a stored price file, instead of PRICE_FILE"
    )


@dg.op(name="rated_usage_plan")
def plan(
    context: dg.OpExecutionContext,
    config: PlanConfig,
    billing_postgres: dg.ResourceParam[Postgres],
    console: dg.ResourceParam[RunConsole],
    rating_settings: dg.ResourceParam[RatingSettings],
) -> None:
    """Rate the window's hours, roll back, and publish what would be inserted, changed and deleted, and the money moved."""
    try:
        hours = sorted({hour_key(hour_of(key)) for key in config.hours or ()}) or _window(config, rating_settings)
    except WindowError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    request = build_request(context.run, hours, rating_settings, config.prices, dry_run=True)
    report = run(
        request,
        open_tools(billing_postgres, console, rating_settings, request.run_id, config.prices),
        lambda _done: None,
    )
    shown = {"plan": dg.MetadataValue.md(plan_markdown(report.hours))}
    publish_dry_run(context, console, "rated_usage", report, numbers=report.totals, shown=shown)


def _window(config: PlanConfig, settings: RatingSettings) -> list[str]:
    first, last = window_keys(
        config.since, config.until, datetime.now(UTC), settings.trailing_hours, settings.first_hour
    )
    return hours_between(first, last)


plan_rated_usage = dry_run_job(
    "plan_rated_usage",
    plan,
    description="Shows, hour by hour, the rows that a rating would insert, change and delete, and the money that it would "
    "move, by running the very same statement and rolling it back. Moves no money.",
    config={"since": None, "until": None, "hours": None, "prices": None},
)
