"""The asset rotation_identity as Dagster sees it: it opens resources, calls the run, and publishes how it ended."""

from collections.abc import Collection, Iterator
from typing import Any

import dagster as dg

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.assets.rotation_identity import store
from wxyc_assets.assets.rotation_identity.checks import CHECKS, of_coverage
from wxyc_assets.assets.rotation_identity.lml_requests import CALLER, Resolver
from wxyc_assets.assets.rotation_identity.run import Request, Tools, run
from wxyc_assets.assets.rotation_identity.run_report import OUTCOMES
from wxyc_assets.database.table_columns import table_metadata
from wxyc_assets.orchestration.checks import asset_checks
from wxyc_assets.orchestration.events import outcome_metadata, publish
from wxyc_assets.runs.findings import Finding, failed_blocking
from wxyc_assets.runs.origin import run_origin
from wxyc_assets.runs.run_console import RunConsole


@dg.multi_asset(
    name="rotation_identity",
    specs=[
        dg.AssetSpec(
            "rotation_identity",
            deps=["rotation"],
            skippable=True,
            group_name="rotation",
            owners=["team:music-data"],
            kinds={"postgres", "python"},
            description=(
                "LML's identity of each release in rotation: `lml_identity_id` of a row of `rotation`, which is one album that "
                "DJs are asked to play. A run asks LML about each active row (not killed by the UTC day) with a Discogs "
                "release and without an identity; LML mints an identity if there is none yet. `rotation_cache` warms the "
                "cache for these identities; in a run of both it waits for the check on their coverage."
            ),
            metadata=table_metadata("wxyc_schema", "rotation"),
            freshness_policy=dg.FreshnessPolicy.time_window(**BY_NAME["rotation_identity"].freshness.windows),
        )
    ],
)
def rotation_identity(
    context: dg.AssetExecutionContext,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Resolver],
    sentry: dg.ResourceParam[Sentry],
    console: dg.ResourceParam[RunConsole],
) -> Iterator[dg.MaterializeResult]:
    """Drain the rotation, credit it, then publish its checks and its end."""
    request = Request(context.run.run_id, run_origin(context.run.tags))
    tools = Tools(
        postgres, lml, sentry.of_run(CALLER, request.run_id), console.log(CALLER, request.run_id), console.progress
    )
    report = run(request, tools)
    credited = not (report.failure_reason or failed_blocking(CHECKS, report.findings))
    metadata = {**outcome_metadata(report.counters.stored(), OUTCOMES), **report.coverage_numbers}
    yield from publish(context, console, "rotation_identity", CHECKS, report, whole=metadata if credited else None)


def _evaluate_stored(resources: Any, _names: Collection[str]) -> list[Finding]:
    with resources.postgres.connect() as connection:
        return [of_coverage(store.coverage(connection))]


rotation_identity_checks = asset_checks(
    "rotation_identity", CHECKS, evaluate_stored=_evaluate_stored, resources={"postgres"}
)
