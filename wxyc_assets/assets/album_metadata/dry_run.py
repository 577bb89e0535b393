"""The dry run of album_metadata: it reads what a run would ask, and when the budget would be done."""

import dagster as dg

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.assets.album_metadata.asset import build_request
from wxyc_assets.assets.album_metadata.lml_requests import CALLER, Lookup
from wxyc_assets.assets.album_metadata.run import Tools, run
from wxyc_assets.orchestration.dry_runs import ALL_SHARDS, ShardsConfig, dry_run_job, publish_dry_run
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import AlbumSettings, FlowsheetSettings, IdentitySettings, LmlSettings


@dg.op(name="album_metadata_dry_run")
def dry_run(
    context: dg.OpExecutionContext,
    config: ShardsConfig,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Lookup],
    sentry: dg.ResourceParam[Sentry],
    console: dg.ResourceParam[RunConsole],
    album_settings: dg.ResourceParam[AlbumSettings],
    flowsheet_settings: dg.ResourceParam[FlowsheetSettings],
    identity_settings: dg.ResourceParam[IdentitySettings],
    lml_settings: dg.ResourceParam[LmlSettings],
) -> None:
    """Plan the shards' batches without a call, and publish them."""
    request = build_request(
        context.run, config.shards, album_settings, flowsheet_settings, identity_settings, lml_settings, dry_run=True
    )
    tools = Tools(
        postgres, lml, sentry.of_run(CALLER, request.run_id), console.log(CALLER, request.run_id), console.progress
    )
    publish_dry_run(context, console, "album_metadata", run(request, tools, lambda _done: None))


dry_run_album_metadata = dry_run_job(
    "dry_run_album_metadata",
    dry_run,
    description="Reports how many albums a real run would look up, in how many calls, and when the budget would be done. "
    "Calls LML for nothing and writes nothing.",
    config={"shards": ALL_SHARDS},
)
