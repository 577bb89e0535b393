"""The asset rotation_cache as Dagster sees it: it opens resources, calls the run, and publishes how it ended."""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from resources.deploy_gate.gate import DeployGate
from resources.deploy_gate.github import GitHub
from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.assets.rotation_cache.checks import CHECKS
from wxyc_assets.assets.rotation_cache.lml_requests import CALLER, Refresher
from wxyc_assets.assets.rotation_cache.plan import Batching
from wxyc_assets.assets.rotation_cache.run import Request, RunReport, Tools, evaluate_stored, run
from wxyc_assets.assets.rotation_cache.run_report import OUTCOMES
from wxyc_assets.database.table_columns import table_metadata
from wxyc_assets.orchestration.checks import asset_checks
from wxyc_assets.orchestration.events import credit, publish
from wxyc_assets.orchestration.partitions import DAYS
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.origin import run_origin
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import LmlSettings, RotationSettings

_RESOURCES = ("postgres", "lml", "sentry", "console", "rotation_settings", "lml_settings")


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
                "LML's cache, warmed for the albums in rotation, so that no listener waits for Discogs when a DJ plays one. A "
                "run changes no table of the station; its counts for a day are a row of `wxyc_assets.tally`. It asks LML to "
                "warm the distinct identities of the active rotation, in small batches within the station's budget of Discogs "
                "calls, and only if LML is recent enough (the deploy gate). A partition is a day of UTC; only that of today "
                "can be warmed, because LML keeps its cache as of now."
            ),
            metadata={
                **table_metadata("wxyc_assets", "tally"),
                "sources": dg.MetadataValue.md("`wxyc_schema.rotation`"),
            },
            freshness_policy=dg.FreshnessPolicy.time_window(**BY_NAME["rotation_cache"].freshness.windows),
        )
    ],
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),  # a range is refused once, not once per day
)
def rotation_cache(
    context: dg.AssetExecutionContext,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Refresher],
    sentry: dg.ResourceParam[Sentry],
    console: dg.ResourceParam[RunConsole],
    rotation_settings: dg.ResourceParam[RotationSettings],
    lml_settings: dg.ResourceParam[LmlSettings],
) -> Iterator[dg.MaterializeResult]:
    """Warm today's cache, credit it, then publish its checks and its end."""
    tools = open_tools(
        postgres, lml, sentry, console, rotation_settings, lml_settings, context.run.run_id, context.log.info
    )
    request = build_request(context.run, context.partition_keys, rotation_settings, lml_settings)

    def on_done(report: RunReport) -> None:
        context.log_event(credit("rotation_cache", request.days[0], report.counters.stored(), OUTCOMES))

    yield from publish(context, console, "rotation_cache", CHECKS, run(request, tools, on_done))


def _evaluate_stored(resources: Any, names: Collection[str]) -> list[Finding]:
    return evaluate_stored(
        names, open_tools(**{name: getattr(resources, name) for name in _RESOURCES}, run_id="checks")
    )


rotation_cache_checks = asset_checks("rotation_cache", CHECKS, evaluate_stored=_evaluate_stored, resources=_RESOURCES)


def open_tools(
    postgres: Postgres,
    lml: Refresher,
    sentry: Sentry,
    console: RunConsole,
    rotation_settings: RotationSettings,
    lml_settings: LmlSettings,
    run_id: str,
    notify: Callable[[str], None] = lambda _sentence: None,
) -> Tools:
    """Return what a run works with, its deploy gate included; ``notify`` shows a sentence on its page."""
    github = GitHub(rotation_settings.github_api_url, rotation_settings.github_token)
    gate = DeployGate(lml, github, local_dev=lml_settings.local_dev)
    log = console.log(CALLER, run_id)
    return Tools(postgres, lml, gate, sentry.of_run(CALLER, run_id), log, console.progress, notify=notify)


def build_request(
    dagster_run: dg.DagsterRun,
    days: Sequence[str],
    rotation: RotationSettings,
    lml: LmlSettings,
    *,
    dry_run: bool = False,
) -> Request:
    """Return what a run for these days is to do; only today's can be warmed."""
    discogs_rate = DiscogsRate(lml.discogs_budget_per_min, lml.cost_refresh_id)
    return Request(
        run_id=dagster_run.run_id,
        origin=run_origin(dagster_run.tags),
        days=days,
        today=datetime.now(UTC).date(),
        discogs_rate=discogs_rate,
        batching=Batching.within_budget(discogs_rate, rotation.max_concurrent),
        dry_run=dry_run,
    )
