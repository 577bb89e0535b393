"""The asset flowsheet_enrichment as Dagster sees it: it opens resources, calls the run, and publishes how it ended."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.assets.flowsheet_enrichment import store
from wxyc_assets.assets.flowsheet_enrichment.checks import CHECKS, of_marked_plays
from wxyc_assets.assets.flowsheet_enrichment.run import Request, ShardDone, Tools, run
from wxyc_assets.assets.flowsheet_enrichment.run_report import OUTCOMES
from wxyc_assets.database.table_columns import table_metadata
from wxyc_assets.orchestration.automation import follows
from wxyc_assets.orchestration.checks import asset_checks
from wxyc_assets.orchestration.events import credit, publish
from wxyc_assets.orchestration.partitions import SHARDS
from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.origin import run_origin
from wxyc_assets.runs.partitions import shard_numbers
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import FlowsheetSettings

TOOL = "album-level-backfill"
"""The name that log lines carry. The runbook knows it from the predecessor, which did this work after its last batch."""

DAILY = "30 10 * * *"
"""In UTC: before dawn at the station, when a DJ is rarely live, and an hour after album_metadata's daily run."""


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
                "Which plays of the flowsheet have their album's metadata. A row of `flowsheet` is one entry of a show. A run "
                "marks a pending track as `enriched_match` once `album_metadata` has a match for its album: artwork or a "
                "Discogs address. It leaves the latest plays to the station's enrichment worker. It works in small "
                "transactions and pauses while a DJ is live. It refuses a shard whose latest `album_metadata` run met answers "
                "with an unexpected index. A partition is the plays with `album_id % 16` equal to its key."
            ),
            metadata=table_metadata("wxyc_schema", "flowsheet"),
            automation_condition=follows("album_metadata", daily=DAILY, whole_runs=False),
        )
    ],
    partitions_def=SHARDS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def flowsheet_enrichment(
    context: dg.AssetExecutionContext,
    postgres: dg.ResourceParam[Postgres],
    console: dg.ResourceParam[RunConsole],
    flowsheet_settings: dg.ResourceParam[FlowsheetSettings],
) -> Iterator[dg.MaterializeResult]:
    """Mark the waiting plays of the run's shards and credit each shard, then publish the checks and how the run ended."""
    request = build_request(context.run, shard_numbers(context.partition_keys), flowsheet_settings)
    tools = Tools(postgres, console.log(TOOL, request.run_id), console.progress, context.log.info)

    def on_done(done: ShardDone) -> None:
        counts = done.counters.stored() | {"run_paused_ms": done.run_paused_ms}
        context.log_event(credit("flowsheet_enrichment", done.shard, counts, OUTCOMES))

    yield from publish(context, console, "flowsheet_enrichment", CHECKS, run(request, tools, on_done))


def _evaluate_stored(resources: Any, _names: Collection[str]) -> list[Finding]:
    with resources.postgres.connect() as connection:
        return [of_marked_plays(store.marked_without_metadata(connection))]


flowsheet_enrichment_checks = asset_checks(
    "flowsheet_enrichment", CHECKS, evaluate_stored=_evaluate_stored, resources={"postgres"}
)


def build_request(
    dagster_run: dg.DagsterRun, shards: Sequence[int], settings: FlowsheetSettings, *, dry_run: bool = False
) -> Request:
    """Return what a run over these shards is to do."""
    return Request(
        run_id=dagster_run.run_id,
        origin=run_origin(dagster_run.tags),
        shards=shards,
        lookback_s=settings.live_activity_lookback_s,
        grace=settings.grace,
        dry_run=dry_run,
    )
