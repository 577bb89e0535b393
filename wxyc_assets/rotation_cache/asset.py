"""The asset rotation_cache as Dagster sees it: wiring only."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from pydantic import Field

from resources.deploy_gate.gate import DeployGate
from resources.deploy_gate.github import GitHub
from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.check_results import check_results
from wxyc_assets.freshness import FRESHNESS
from wxyc_assets.operator import Operator
from wxyc_assets.pace import Pace
from wxyc_assets.rehearsal import rehearsed
from wxyc_assets.rotation_cache import checks
from wxyc_assets.rotation_cache.asking import CALLER, Refresher
from wxyc_assets.rotation_cache.plan import Batching
from wxyc_assets.rotation_cache.report import materialization, summary
from wxyc_assets.rotation_cache.run import Request, RunReport, Tools, look, run
from wxyc_assets.run_origin import run_origin
from wxyc_assets.settings import LmlSettings, RotationSettings
from wxyc_assets.table_columns import table_metadata

DAYS = dg.DailyPartitionsDefinition(start_date="2026-01-01", timezone="UTC", end_offset=1)
"""Days of UTC, today included: it is the only one that can be warmed, and a day that has not ended is none by default."""


class RotationCacheConfig(dg.Config):
    """What a run may be told to do differently."""

    dry_run: bool = Field(
        default=False,
        description="ask the gate, report what would be asked and when the budget would be done; warm and write nothing",
    )


@dg.multi_asset(
    name="rotation_cache",
    specs=[
        dg.AssetSpec(
            "rotation_cache",
            deps=["rotation_identity"],
            skippable=True,
            group_name="rotation",
            owners=["team:music-data"],
            kinds={"python"},
            description=(
                "LML's cache, warmed for the albums in rotation, so that nobody waits for Discogs when a DJ plays one. Nothing "
                "of the station's is written: a row of `wxyc_assets.tally` is what one run counted for a day. Asked about are "
                "the distinct identities of the active rotation, in small batches within the station's budget of Discogs calls "
                "and only if LML is recent enough (the deploy gate). A partition is a day of UTC; only that of today can be "
                "warmed, because LML keeps its cache as of now."
            ),
            metadata={
                **table_metadata("wxyc_assets", "tally"),
                "sources": dg.MetadataValue.md("`wxyc_schema.rotation`"),
            },
            freshness_policy=dg.FreshnessPolicy.time_window(**FRESHNESS["rotation_cache"].windows),
        )
    ],
    check_specs=checks.SPECS,
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),  # a range gets one refusal, not one a day
    can_subset=True,  # the gate can be looked at alone, and a dry run has no checks of answers
)
def rotation_cache(
    context: dg.AssetExecutionContext,
    config: RotationCacheConfig,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Refresher],
    sentry: dg.ResourceParam[Sentry],
    operator: dg.ResourceParam[Operator],
    rotation_settings: dg.ResourceParam[RotationSettings],
    lml_settings: dg.ResourceParam[LmlSettings],
) -> Iterator[dg.AssetCheckResult]:
    """Warm today's cache, credit it, then say what must hold and what went wrong; or only look at the checks chosen."""
    github = GitHub(rotation_settings.github_api_url, rotation_settings.github_token)
    gate = DeployGate(lml, github, local_dev=lml_settings.local_dev)
    tools = Tools(postgres, lml, gate, sentry, operator.log(CALLER, context.run.run_id), operator.progress)
    chosen = {key.name for key in context.selected_asset_check_keys}
    if not context.selected_asset_keys:
        yield from check_results(look(chosen, tools))
        return
    pace = Pace(lml_settings.discogs_budget_per_min, lml_settings.cost_refresh_id)
    request = Request(
        run_id=context.run.run_id,
        origin=run_origin(context.run.tags),
        days=context.partition_keys,
        today=datetime.now(UTC).date(),
        pace=pace,
        batching=Batching.within(pace, rotation_settings.max_concurrent),
        dry_run=config.dry_run,
    )

    def credit(report: RunReport) -> None:
        context.log_event(materialization(report))

    report = run(request, tools, credit)
    operator.summaries[request.run_id] = summary(report)
    if request.dry_run:
        context.log_event(rehearsed("rotation_cache", summary(report)))
    yield from check_results(finding for finding in report.findings if finding.name in chosen)
    if report.could_not_work:
        raise dg.Failure(report.reason, allow_retries=False)
