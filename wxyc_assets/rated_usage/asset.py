"""The asset rated_usage as Dagster sees it: wiring only."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from wxyc_assets.check_results import check_results
from wxyc_assets.checks_alone import refuse_checks_alone
from wxyc_assets.freshness import FRESHNESS
from wxyc_assets.operator import Operator
from wxyc_assets.price_book.load import load_price_book
from wxyc_assets.rated_usage import checks
from wxyc_assets.rated_usage.report import materialization, plan, summary
from wxyc_assets.rated_usage.run import HourDone, Request, Tools, run
from wxyc_assets.rated_usage.windows import FIRST_HOUR, key
from wxyc_assets.run_origin import run_origin
from wxyc_assets.settings import RatingSettings
from wxyc_assets.table_columns import table_metadata

TOOL = "rater"
"""The name that log lines carry; people know it from the predecessor."""

HOURS = dg.HourlyPartitionsDefinition(start_date=key(FIRST_HOUR), timezone="UTC")
"""Closed UTC hours: one that still goes on has no partition yet."""


class RatedUsageConfig(dg.Config):
    """What a run may be told to do differently."""

    dry_run: bool = Field(
        default=False,
        description="the plan: rate and roll back; report what would be inserted, changed and deleted, and the money moved",
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
                "What usage costs: a row of `rated_usage` is the tokens of one customer on one deployment with one model in "
                "one UTC hour, the rates in USD a token that they were billed at, and the cost, exact to the nano-dollar. A "
                "partition is the events whose instant (`event_ts`, else `created_at`) lies in its hour; rating it again makes "
                "its rows right, and every row that it inserts, changes or deletes is kept in `wxyc_assets.usage_change`."
            ),
            metadata={
                **table_metadata("public", "rated_usage"),
                "sources": dg.MetadataValue.md("`public.billing_event`, the price file in `PRICE_FILE`"),
                "ledger": dg.MetadataValue.md("`wxyc_assets.usage_change`; `wxyc why usage` reads it"),
            },
            freshness_policy=dg.FreshnessPolicy.time_window(**FRESHNESS["rated_usage"].windows),
        )
    ],
    check_specs=checks.SPECS,
    partitions_def=HOURS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,  # a plan has no checks of what is stored, and only a subset may leave some out
)
def rated_usage(
    context: dg.AssetExecutionContext,
    config: RatedUsageConfig,
    postgres: dg.ResourceParam[Postgres],
    operator: dg.ResourceParam[Operator],
    rating_settings: dg.ResourceParam[RatingSettings],
) -> Iterator[dg.AssetCheckResult]:
    """Rate the run's hours, credit each as it is committed, then say what must hold and what went wrong."""
    refuse_checks_alone(context, "rated_usage")
    request = Request(
        run_id=context.run.run_id,
        origin=run_origin(context.run.tags),
        hours=context.partition_keys,
        trailing=rating_settings.trailing_hours,
        dry_run=config.dry_run,
    )
    log = operator.log(TOOL, request.run_id)
    tools = Tools(postgres, lambda: load_price_book(rating_settings.price_file), log, operator.progress)

    def credit(done: HourDone) -> None:
        context.log_event(materialization(done))

    report = run(request, tools, credit)
    operator.summaries[request.run_id] = summary(report)
    if request.dry_run:
        context.log_event(plan(report))
    yield from check_results(report.findings)
    if report.could_not_work:
        raise dg.Failure(report.reason, allow_retries=False)
