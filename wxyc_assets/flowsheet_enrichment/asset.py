"""The asset flowsheet_enrichment as Dagster sees it: wiring only."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from wxyc_assets.check_results import check_results
from wxyc_assets.checks_alone import refuse_checks_alone
from wxyc_assets.flowsheet_enrichment import checks
from wxyc_assets.flowsheet_enrichment.report import materialization, summary
from wxyc_assets.flowsheet_enrichment.run import Request, ShardDone, Tools, run
from wxyc_assets.following import follows
from wxyc_assets.freshness import FRESHNESS
from wxyc_assets.operator import Operator
from wxyc_assets.partitions import shard_numbers
from wxyc_assets.partitions_dagster import SHARDS
from wxyc_assets.rehearsal import rehearsed
from wxyc_assets.run_origin import run_origin
from wxyc_assets.settings import FlowsheetSettings
from wxyc_assets.table_columns import table_metadata

TOOL = "album-level-backfill"
"""The name that log lines carry; the runbook knows it from the predecessor, which did this after its last batch."""

DAILY = "30 10 * * *"
"""UTC: before dawn at the station, when hardly a DJ is live, and an hour after album_metadata's own."""


class FlowsheetEnrichmentConfig(dg.Config):
    """What a run may be told to do differently."""

    dry_run: bool = Field(default=False, description="count, but write nothing")


@dg.multi_asset(
    name="flowsheet_enrichment",
    specs=[
        dg.AssetSpec(
            "flowsheet_enrichment",
            deps=["album_metadata", "flowsheet"],
            skippable=True,
            group_name="metadata",
            owners=["team:music-data"],
            kinds={"postgres", "python"},
            description=(
                "Which plays of the flowsheet have their album's metadata. A row of `flowsheet` is one entry of a show; a "
                "track that was pending becomes `enriched_match` once `album_metadata` has a row for its album. It is done in "
                "small transactions that give way to a live DJ, and not at all for a shard whose latest `album_metadata` run "
                "met answers under an unexpected index. A partition is the plays with `album_id % 16` equal to its key."
            ),
            metadata=table_metadata("wxyc_schema", "flowsheet"),
            freshness_policy=dg.FreshnessPolicy.time_window(**FRESHNESS["flowsheet_enrichment"].windows),
            automation_condition=follows("album_metadata", daily=DAILY, whole_runs=False),
        )
    ],
    check_specs=checks.SPECS,
    partitions_def=SHARDS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,  # a dry run has no checks of what is stored, and only a subset may leave some out
)
def flowsheet_enrichment(
    context: dg.AssetExecutionContext,
    config: FlowsheetEnrichmentConfig,
    postgres: dg.ResourceParam[Postgres],
    operator: dg.ResourceParam[Operator],
    flowsheet_settings: dg.ResourceParam[FlowsheetSettings],
) -> Iterator[dg.AssetCheckResult]:
    """Mark what waits in the run's shards, credit each, then say what must hold and what went wrong."""
    refuse_checks_alone(context, "flowsheet_enrichment")
    request = Request(
        run_id=context.run.run_id,
        origin=run_origin(context.run.tags),
        shards=shard_numbers(context.partition_keys),
        lookback_s=flowsheet_settings.live_activity_lookback_s,
        dry_run=config.dry_run,
    )
    log = operator.log(TOOL, request.run_id)
    tools = Tools(postgres, log, operator.progress, context.log.info)

    def credit(done: ShardDone) -> None:
        context.log_event(materialization(done))

    report = run(request, tools, credit)
    operator.summaries[request.run_id] = summary(report)
    if request.dry_run:
        context.log_event(rehearsed("flowsheet_enrichment", summary(report)))
    yield from check_results(report.findings)
    if report.could_not_work:
        raise dg.Failure(report.reason, allow_retries=False)
