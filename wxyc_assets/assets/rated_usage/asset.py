"""The asset rated_usage as Dagster sees it: it opens resources, calls the run, and publishes how it ended."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.price_book.load import load_price_book
from wxyc_assets.assets.rated_usage.checks import CHECKS, HOURS_RATED, of_lateness
from wxyc_assets.assets.rated_usage.lateness import late_hours
from wxyc_assets.assets.rated_usage.pricing import load_stored
from wxyc_assets.assets.rated_usage.run import HourDone, Request, Tools, run
from wxyc_assets.assets.rated_usage.run_report import OUTCOMES
from wxyc_assets.assets.rated_usage.top_customers import customer_plots, customers_markdown
from wxyc_assets.assets.rated_usage.unbilled.search import find_unbilled, search_window
from wxyc_assets.assets.rated_usage.unbilled.usage import UNRATED, of_unbilled
from wxyc_assets.assets.rated_usage.unpushed import needed
from wxyc_assets.database.table_columns import table_metadata
from wxyc_assets.orchestration.checks import asset_checks
from wxyc_assets.orchestration.events import publish
from wxyc_assets.orchestration.partitions import HOURS
from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.origin import run_origin
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import RatingSettings

TOOL = "rater"
"""The name of this job in log lines, as the predecessor had it."""


class RatedUsageConfig(dg.Config):
    """The options of a run."""

    prices: str | None = Field(
        default=None,
        description="rate with the stored price file whose SHA-256 begins so, instead of PRICE_FILE; see `wxyc prices list`",
    )


@dg.multi_asset(
    name="rated_usage",
    specs=[
        dg.AssetSpec(
            "rated_usage",
            deps=["billing_event", "price_book"],
            skippable=True,
            group_name="billing",
            owners=["team:billing"],
            kinds={"postgres", "python"},
            description=(
                "What usage costs: a row of `rated_usage` has the tokens of one customer on one deployment with one model in "
                "one UTC hour, the rates in USD per token, and the cost, exact to the nano-dollar. A partition consists of the "
                "events whose instant (`event_ts`, else `created_at`) lies in its hour. Rating it again corrects its rows; "
                "`wxyc_assets.usage_change` records every row that is inserted, changed or deleted."
            ),
            metadata={
                **table_metadata("public", "rated_usage"),
                "sources": dg.MetadataValue.md("`public.billing_event`, the price file in `PRICE_FILE`"),
                "ledger": dg.MetadataValue.md("`wxyc_assets.usage_change`; `wxyc why usage` reads it"),
            },
        )
    ],
    partitions_def=HOURS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def rated_usage(
    context: dg.AssetExecutionContext,
    config: RatedUsageConfig,
    billing_postgres: dg.ResourceParam[Postgres],
    console: dg.ResourceParam[RunConsole],
    rating_settings: dg.ResourceParam[RatingSettings],
) -> Iterator[dg.MaterializeResult]:
    """Rate the run's hours, credit each as it is committed, then publish its checks and its end."""
    request = build_request(context.run, context.partition_keys, rating_settings, config.prices)
    tools = open_tools(billing_postgres, console, rating_settings, request.run_id, config.prices)
    report = run(request, tools, lambda done: context.log_event(_materialization(done)))
    if report.push_needed:
        context.log.warning(needed(report.push_needed))
    yield from publish(context, console, "rated_usage", CHECKS, report)


def _evaluate_stored(resources: Any, names: Collection[str]) -> list[Finding]:
    trailing, first_hour = resources.rating_settings.trailing_hours, resources.rating_settings.first_hour
    now = datetime.now(UTC)
    found = []
    with resources.billing_postgres.connect() as connection:
        if HOURS_RATED in names:
            late = late_hours(connection, now, trailing, first_hour)
            found.append(of_lateness(late, trailing=trailing, origin="routine"))
        if UNRATED in names:
            unbilled = find_unbilled(connection, search_window(now, trailing, first_hour))
            found.append(of_unbilled(unbilled, origin="routine"))
    return found


rated_usage_checks = asset_checks(
    "rated_usage", CHECKS, evaluate_stored=_evaluate_stored, resources={"billing_postgres", "rating_settings"}
)


def open_tools(
    postgres: Postgres, console: RunConsole, settings: RatingSettings, run_id: str, prices: str | None
) -> Tools:
    """Return what a run works with; ``prices``: the digest of the stored price file that an operator named."""

    def load() -> PriceBook:
        if not prices:
            return load_price_book(settings.price_file)
        with postgres.connect() as connection:
            return load_stored(connection, prices)

    return Tools(postgres, load, console.log(TOOL, run_id), console.progress)


def build_request(
    dagster_run: dg.DagsterRun,
    hours: Sequence[str],
    settings: RatingSettings,
    prices: str | None,
    *,
    dry_run: bool = False,
) -> Request:
    """Return what a run over these hours is to do."""
    return Request(
        run_id=dagster_run.run_id,
        origin=run_origin(dagster_run.tags),
        hours=hours,
        trailing=settings.trailing_hours,
        billing_start=settings.first_hour,
        hold_prices=settings.price_changes == "hold",
        named_prices=bool(prices),
        dry_run=dry_run,
    )


def _materialization(done: HourDone) -> dg.AssetMaterialization:
    """Return the credit of one hour. Money is exact text; the floats are the nearest ones, for the UI's plots."""
    rated = done.rated
    return dg.AssetMaterialization(
        "rated_usage",
        partition=done.hour,
        metadata={
            "outcome": dg.MetadataValue.md(OUTCOMES.markdown(rated.counters.stored())),
            **rated.stored(),
            "rollups": rated.counters.rollups_written,
            "anomalies": rated.counters.anomalies,
            "cost_usd": dg.MetadataValue.float(float(str(rated.total_cost))),
            "price_digest": done.price_digest,
            "top_customers": dg.MetadataValue.md(customers_markdown(rated.top_customers, done.hour)),
            **customer_plots(rated.top_customers),
        },
    )
