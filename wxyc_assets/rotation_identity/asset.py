"""The asset rotation_identity as Dagster sees it: wiring only."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.check_results import check_results
from wxyc_assets.checks_alone import refuse_checks_alone
from wxyc_assets.freshness import FRESHNESS
from wxyc_assets.operator import Operator
from wxyc_assets.rehearsal import rehearsed
from wxyc_assets.rotation_identity import checks
from wxyc_assets.rotation_identity.asking import CALLER, Resolver
from wxyc_assets.rotation_identity.report import materialization, summary
from wxyc_assets.rotation_identity.run import Request, Tools, run
from wxyc_assets.run_origin import run_origin
from wxyc_assets.table_columns import table_metadata


class RotationIdentityConfig(dg.Config):
    """What a run may be told to do differently."""

    dry_run: bool = Field(
        default=False, description="report the coverage and what would be asked; ask and write nothing"
    )


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
                "What LML calls the releases in rotation: `lml_identity_id` of a row of `rotation`, which is one album that "
                "DJs are asked to play. Asked about are the active rows (not killed by the UTC day) that have a Discogs "
                "release and no identity; LML mints one where there is none yet. `rotation_cache` is warmed for these "
                "identities; in a run of both it waits for the check on their coverage."
            ),
            metadata=table_metadata("wxyc_schema", "rotation"),
            freshness_policy=dg.FreshnessPolicy.time_window(**FRESHNESS["rotation_identity"].windows),
        )
    ],
    check_specs=checks.SPECS,
    can_subset=True,  # a dry run has no checks of what is stored, and only a subset may leave some out
)
def rotation_identity(
    context: dg.AssetExecutionContext,
    config: RotationIdentityConfig,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Resolver],
    sentry: dg.ResourceParam[Sentry],
    operator: dg.ResourceParam[Operator],
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Walk the rotation, credit it, then say what must hold and what went wrong."""
    refuse_checks_alone(context, "rotation_identity")
    request = Request(context.run.run_id, run_origin(context.run.tags), dry_run=config.dry_run)
    tools = Tools(postgres, lml, sentry, operator.log(CALLER, request.run_id), operator.progress)
    report = run(request, tools)
    operator.summaries[request.run_id] = summary(report)
    if request.dry_run:
        context.log_event(rehearsed("rotation_identity", summary(report)))
    if not (report.could_not_work or request.dry_run):
        yield materialization(report)
    yield from check_results(report.findings)
    if report.could_not_work:
        raise dg.Failure(report.reason, allow_retries=False)
