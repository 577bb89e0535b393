"""The asset album_metadata as Dagster sees it: it opens resources, calls the run, and publishes how it ended."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import dagster as dg

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.assets.album_metadata import store
from wxyc_assets.assets.album_metadata.checks import CHECKS, of_last_day
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.lml_requests import CALLER, Lookup
from wxyc_assets.assets.album_metadata.run import Request, Tools, run
from wxyc_assets.assets.album_metadata.run_report import OUTCOMES
from wxyc_assets.database.table_columns import table_metadata
from wxyc_assets.orchestration.automation import follows
from wxyc_assets.orchestration.checks import asset_checks
from wxyc_assets.orchestration.events import credit, publish
from wxyc_assets.orchestration.partitions import SHARDS
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.origin import run_origin
from wxyc_assets.runs.partitions import shard_numbers
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.runs.shard_drain import ShardDone
from wxyc_assets.settings import AlbumSettings, FlowsheetSettings, IdentitySettings, LmlSettings

DAILY = "30 9 * * *"
"""In UTC: before dawn at the station."""


@dg.multi_asset(
    name="album_metadata",
    specs=[
        dg.AssetSpec(
            "album_metadata",
            deps=["library_identity", "flowsheet"],
            skippable=True,
            group_name="metadata",
            owners=["team:music-data"],
            kinds={"postgres", "python"},
            description=(
                "What listeners see of an album that was played: a row of `album_metadata` is the artwork, links, release year "
                "and artist biography that LML found for one library row. A run asks LML about the albums with a pending play "
                "on the flowsheet, and merges its answer with the row, because the station's enrichment worker writes it too. "
                "Albums that LML does not know, or takes for another album of the artist, are in `wxyc_assets.album_no_match`, "
                "and a run does not ask about them again until their retry period ends. A partition is the albums with "
                "`album_id % 16` equal to its key."
            ),
            metadata={
                **table_metadata("wxyc_schema", "album_metadata"),
                "sources": dg.MetadataValue.md("`wxyc_schema.flowsheet`, `wxyc_schema.library`, `wxyc_schema.artists`"),
            },
            automation_condition=follows("library_identity", daily=DAILY, whole_runs=True),
        )
    ],
    partitions_def=SHARDS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def album_metadata(
    context: dg.AssetExecutionContext,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Lookup],
    sentry: dg.ResourceParam[Sentry],
    console: dg.ResourceParam[RunConsole],
    album_settings: dg.ResourceParam[AlbumSettings],
    flowsheet_settings: dg.ResourceParam[FlowsheetSettings],
    identity_settings: dg.ResourceParam[IdentitySettings],
    lml_settings: dg.ResourceParam[LmlSettings],
) -> Iterator[dg.MaterializeResult]:
    """Process the run's shards and credit each when it is done, then publish the checks and how the run ended."""
    shards = shard_numbers(context.partition_keys)
    request = build_request(context.run, shards, album_settings, flowsheet_settings, identity_settings, lml_settings)
    log = console.log(CALLER, request.run_id)
    tools = Tools(postgres, lml, sentry.of_run(CALLER, request.run_id), log, console.progress, notify=context.log.info)

    def on_done(done: ShardDone[Counters]) -> None:
        context.log_event(credit("album_metadata", done.shard, done.counters.stored(), OUTCOMES))

    yield from publish(context, console, "album_metadata", CHECKS, run(request, tools, on_done))


def _evaluate_stored(resources: Any, _names: Collection[str]) -> list[Finding]:
    with resources.postgres.connect() as connection:
        return [of_last_day(store.recent_mismatches(connection))]


album_metadata_checks = asset_checks("album_metadata", CHECKS, evaluate_stored=_evaluate_stored, resources={"postgres"})


def build_request(
    dagster_run: dg.DagsterRun,
    shards: Sequence[int],
    album: AlbumSettings,
    flowsheet: FlowsheetSettings,
    identity: IdentitySettings,
    lml: LmlSettings,
    *,
    dry_run: bool = False,
) -> Request:
    """Return what a run over these shards is to do."""
    return Request(
        run_id=dagster_run.run_id,
        origin=run_origin(dagster_run.tags),
        shards=shards,
        retry_after=identity.retry_after,
        grace=flowsheet.grace,
        discogs_rate=DiscogsRate(lml.discogs_budget_per_min, lml.cost_lookup_item),
        batch_size=album.batch_size,
        budget_ms=album.budget_ms,
        dry_run=dry_run,
    )
