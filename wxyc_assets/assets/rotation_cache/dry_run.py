"""The dry run of rotation_cache: it asks the deploy gate, and reads what a run would warm."""

from datetime import UTC, datetime

import dagster as dg

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.assets.rotation_cache.asset import build_request, open_tools
from wxyc_assets.assets.rotation_cache.lml_requests import Refresher
from wxyc_assets.assets.rotation_cache.run import run
from wxyc_assets.orchestration.dry_runs import dry_run_job, publish_dry_run
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import LmlSettings, RotationSettings


@dg.op(name="rotation_cache_dry_run")
def dry_run(
    context: dg.OpExecutionContext,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Refresher],
    sentry: dg.ResourceParam[Sentry],
    console: dg.ResourceParam[RunConsole],
    rotation_settings: dg.ResourceParam[RotationSettings],
    lml_settings: dg.ResourceParam[LmlSettings],
) -> None:
    """Ask the gate, plan today's batches without a call, and publish them."""
    tools = open_tools(postgres, lml, sentry, console, rotation_settings, lml_settings, context.run.run_id)
    today = datetime.now(UTC).date().isoformat()
    request = build_request(context.run, [today], rotation_settings, lml_settings, dry_run=True)
    publish_dry_run(context, console, "rotation_cache", run(request, tools, lambda _report: None))


dry_run_rotation_cache = dry_run_job(
    "dry_run_rotation_cache",
    dry_run,
    description="Asks the deploy gate, and reports what a real run would warm today, in how many calls, and when the budget "
    "would be done. Warms and writes nothing.",
)
