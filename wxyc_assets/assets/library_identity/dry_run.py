"""The dry run of library_identity: it asks LML and counts, and writes nothing."""

import dagster as dg

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.assets.library_identity.asset import TOOL, LibraryIdentityConfig, build_request
from wxyc_assets.assets.library_identity.lml_requests import Resolver
from wxyc_assets.assets.library_identity.run import Tools, run
from wxyc_assets.orchestration.dry_runs import ALL_SHARDS, ShardsConfig, dry_run_job, publish_dry_run
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import IdentitySettings


class DryRunConfig(ShardsConfig, LibraryIdentityConfig):
    """The options of the dry run."""


@dg.op(name="library_identity_dry_run")
def dry_run(
    context: dg.OpExecutionContext,
    config: DryRunConfig,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Resolver],
    sentry: dg.ResourceParam[Sentry],
    console: dg.ResourceParam[RunConsole],
    identity_settings: dg.ResourceParam[IdentitySettings],
) -> None:
    """Drain the shards without writing, and publish what a real run would do."""
    request = build_request(context.run, config.shards, config, identity_settings, dry_run=True)
    tools = Tools(
        postgres, lml, sentry.of_run(TOOL, request.run_id), console.log(TOOL, request.run_id), console.progress
    )
    publish_dry_run(context, console, "library_identity", run(request, tools, lambda _done: None))


dry_run_library_identity = dry_run_job(
    "dry_run_library_identity",
    dry_run,
    description="Asks LML about every library that a real run would ask about, and counts the answers. Writes nothing.",
    config={"shards": ALL_SHARDS, "recheck": False, "include_null_canonical": False},
)
