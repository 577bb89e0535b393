"""The asset album_metadata as Dagster sees it: wiring only."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.album_metadata import checks
from wxyc_assets.album_metadata.asking import CALLER, Lookup
from wxyc_assets.album_metadata.drain import ShardDone
from wxyc_assets.album_metadata.report import materialization, summary
from wxyc_assets.album_metadata.run import Request, Tools, run
from wxyc_assets.check_results import check_results
from wxyc_assets.checks_alone import refuse_checks_alone
from wxyc_assets.following import follows
from wxyc_assets.freshness import FRESHNESS
from wxyc_assets.operator import Operator
from wxyc_assets.pace import Pace
from wxyc_assets.partitions import shard_numbers
from wxyc_assets.partitions_dagster import SHARDS
from wxyc_assets.rehearsal import rehearsed
from wxyc_assets.run_origin import run_origin
from wxyc_assets.settings import AlbumSettings, IdentitySettings, LmlSettings
from wxyc_assets.table_columns import table_metadata

DAILY = "30 9 * * *"
"""UTC; before dawn at the station."""


class AlbumMetadataConfig(dg.Config):
    """What a run may be told to do differently."""

    dry_run: bool = Field(
        default=False, description="report what would be asked and when the budget would be done; ask and write nothing"
    )


@dg.multi_asset(
    name="album_metadata",
    specs=[
        dg.AssetSpec(
            "album_metadata",
            deps=["library_identity", "flowsheet"],
            skippable=True,
            group_name="metadata",
            owners=["team:music-data"],
            kinds={"postgres", "python"},
            description=(
                "What listeners see of an album that was played: a row of `album_metadata` is the artwork, links, release year "
                "and artist biography that LML found for one library row. Asked about are the albums with a pending play on "
                "the flowsheet; those that LML does not know rest, in `wxyc_assets.album_no_match`. A partition is the albums "
                "with `album_id % 16` equal to its key."
            ),
            metadata={
                **table_metadata("wxyc_schema", "album_metadata"),
                "sources": dg.MetadataValue.md("`wxyc_schema.flowsheet`, `wxyc_schema.library`, `wxyc_schema.artists`"),
            },
            freshness_policy=dg.FreshnessPolicy.time_window(**FRESHNESS["album_metadata"].windows),
            automation_condition=follows("library_identity", daily=DAILY, whole_runs=True),
        )
    ],
    check_specs=checks.SPECS,
    partitions_def=SHARDS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,  # a dry run has no checks of answers, and only a subset may leave some out
)
def album_metadata(
    context: dg.AssetExecutionContext,
    config: AlbumMetadataConfig,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Lookup],
    sentry: dg.ResourceParam[Sentry],
    operator: dg.ResourceParam[Operator],
    album_settings: dg.ResourceParam[AlbumSettings],
    identity_settings: dg.ResourceParam[IdentitySettings],
    lml_settings: dg.ResourceParam[LmlSettings],
) -> Iterator[dg.AssetCheckResult]:
    """Walk the run's shards, credit each as it is done, then say what must hold and what went wrong."""
    refuse_checks_alone(context, "album_metadata")
    request = Request(
        run_id=context.run.run_id,
        origin=run_origin(context.run.tags),
        shards=shard_numbers(context.partition_keys),
        retry_after=identity_settings.retry_after,
        pace=Pace(lml_settings.discogs_budget_per_min, lml_settings.cost_lookup_item),
        batch_size=album_settings.batch_size,
        budget_ms=album_settings.budget_ms,
        dry_run=config.dry_run,
    )
    tools = Tools(postgres, lml, sentry, operator.log(CALLER, request.run_id), operator.progress)

    def credit(done: ShardDone) -> None:
        context.log_event(materialization(done))

    report = run(request, tools, credit)
    operator.summaries[request.run_id] = summary(report)
    if request.dry_run:
        context.log_event(rehearsed("album_metadata", summary(report)))
    yield from check_results(report.findings)
    if report.problems or report.could_not_work:
        raise dg.Failure(report.reason, allow_retries=False)
