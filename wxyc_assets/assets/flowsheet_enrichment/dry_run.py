"""The dry run of flowsheet_enrichment: it counts the plays that a run would mark."""

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.assets.flowsheet_enrichment.asset import TOOL, build_request
from wxyc_assets.assets.flowsheet_enrichment.run import Tools, run
from wxyc_assets.orchestration.dry_runs import ALL_SHARDS, ShardsConfig, dry_run_job, publish_dry_run
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import FlowsheetSettings


@dg.op(name="flowsheet_enrichment_dry_run")
def dry_run(
    context: dg.OpExecutionContext,
    config: ShardsConfig,
    postgres: dg.ResourceParam[Postgres],
    console: dg.ResourceParam[RunConsole],
    flowsheet_settings: dg.ResourceParam[FlowsheetSettings],
) -> None:
    """Read the shards' waiting plays and publish their number."""
    request = build_request(context.run, config.shards, flowsheet_settings, dry_run=True)
    tools = Tools(postgres, console.log(TOOL, request.run_id), console.progress, context.log.info)
    publish_dry_run(context, console, "flowsheet_enrichment", run(request, tools, lambda _done: None))


dry_run_flowsheet_enrichment = dry_run_job(
    "dry_run_flowsheet_enrichment",
    dry_run,
    description="Counts the plays that a real run would mark. Writes nothing.",
    config={"shards": ALL_SHARDS},
)
