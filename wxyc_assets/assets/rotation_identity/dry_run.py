"""The dry run of rotation_identity: it reads the coverage, and what a run would ask."""

import dagster as dg

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.assets.rotation_identity.lml_requests import CALLER, Resolver
from wxyc_assets.assets.rotation_identity.run import Request, Tools, run
from wxyc_assets.orchestration.dry_runs import dry_run_job, publish_dry_run
from wxyc_assets.runs.origin import run_origin
from wxyc_assets.runs.run_console import RunConsole


@dg.op(name="rotation_identity_dry_run")
def dry_run(
    context: dg.OpExecutionContext,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Resolver],
    sentry: dg.ResourceParam[Sentry],
    console: dg.ResourceParam[RunConsole],
) -> None:
    """Read the candidates and the coverage, and publish them."""
    request = Request(context.run.run_id, run_origin(context.run.tags), dry_run=True)
    tools = Tools(
        postgres, lml, sentry.of_run(CALLER, request.run_id), console.log(CALLER, request.run_id), console.progress
    )
    publish_dry_run(context, console, "rotation_identity", run(request, tools))


dry_run_rotation_identity = dry_run_job(
    "dry_run_rotation_identity",
    dry_run,
    description="Reports how much of the rotation has an identity, and how many releases a real run would ask about. "
    "Calls LML for nothing and writes nothing.",
)
