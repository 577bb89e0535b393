"""The asset library_identity as Dagster sees it: it opens resources, calls the run, and publishes how it ended."""

from collections.abc import Iterator, Sequence

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.assets.library_identity.checks import CHECKS
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.lml_requests import Resolver
from wxyc_assets.assets.library_identity.run import Request, Tools, run
from wxyc_assets.assets.library_identity.run_report import OUTCOMES
from wxyc_assets.database.table_columns import table_metadata
from wxyc_assets.orchestration.checks import asset_checks
from wxyc_assets.orchestration.events import credit, publish
from wxyc_assets.orchestration.partitions import SHARDS
from wxyc_assets.runs.origin import run_origin
from wxyc_assets.runs.partitions import shard_numbers
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.runs.shard_drain import ShardDone
from wxyc_assets.settings import IdentitySettings

TOOL = "library-identity-consumer"
"""The name that log lines and spans carry; dashboards know it from the predecessor."""


class LibraryIdentityConfig(dg.Config):
    """The options of a run."""

    recheck: bool = Field(
        default=False, description="ask again about every library that LML once did not resolve, however recently"
    )
    include_null_canonical: bool = Field(
        default=False,
        description="also ask about libraries without a canonical entity (INCLUDE_NULL_CANONICAL=1 sets it for all runs)",
    )


@dg.multi_asset(
    name="library_identity",
    specs=[
        dg.AssetSpec(
            "library_identity",
            deps=["library"],
            skippable=True,
            group_name="identity",
            owners=["team:music-data"],
            kinds={"postgres", "python"},
            description=(
                "The artist of each album of the library, according to LML. A row of `library_identity` is LML's verdict on "
                "one library row: Wikidata, Spotify and Apple Music ids of its artist, the method and the confidence. The ids "
                "of all six sources are in `wxyc_assets.library_artist_id`. `library_identity_history` holds the rows that a "
                "new verdict replaced. Of a compilation LML says who the artists of its tracks are: their rows in "
                "`compilation_track_artist` are linked to the catalogue's artists. A partition is the libraries with `id % 16` "
                "equal to its key."
            ),
            metadata={
                **table_metadata("wxyc_schema", "library_identity"),
                "sources": dg.MetadataValue.md("`wxyc_schema.library_identity_source`"),
                "track_credits": dg.MetadataValue.md("`wxyc_schema.compilation_track_artist`"),
            },
        )
    ],
    partitions_def=SHARDS,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def library_identity(
    context: dg.AssetExecutionContext,
    config: LibraryIdentityConfig,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Resolver],
    sentry: dg.ResourceParam[Sentry],
    console: dg.ResourceParam[RunConsole],
    identity_settings: dg.ResourceParam[IdentitySettings],
) -> Iterator[dg.MaterializeResult]:
    """Process the run's shards and credit each when it is done, then publish the checks and how the run ended."""
    request = build_request(context.run, shard_numbers(context.partition_keys), config, identity_settings)
    tools = Tools(
        postgres, lml, sentry.of_run(TOOL, request.run_id), console.log(TOOL, request.run_id), console.progress
    )

    def on_done(done: ShardDone[Counters]) -> None:
        context.log_event(credit("library_identity", done.shard, done.counters.stored(), OUTCOMES))

    yield from publish(context, console, "library_identity", CHECKS, run(request, tools, on_done))


library_identity_checks = asset_checks("library_identity", CHECKS)


def build_request(
    dagster_run: dg.DagsterRun,
    shards: Sequence[int],
    config: LibraryIdentityConfig,
    settings: IdentitySettings,
    *,
    dry_run: bool = False,
) -> Request:
    """Return what a run over these shards is to do."""
    return Request(
        run_id=dagster_run.run_id,
        origin=run_origin(dagster_run.tags),
        shards=shards,
        stale_after=settings.stale_after,
        retry_after=settings.retry_after,
        include_null_canonical=config.include_null_canonical or settings.include_null_canonical,
        recheck=config.recheck,
        dry_run=dry_run,
    )
