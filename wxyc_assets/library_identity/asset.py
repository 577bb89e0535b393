"""The asset library_identity as Dagster sees it: wiring only."""

from collections.abc import Iterator

import dagster as dg
from pydantic import Field

from resources.postgres import Postgres
from resources.sentry import Sentry
from wxyc_assets.check_results import check_results
from wxyc_assets.checks_alone import refuse_checks_alone
from wxyc_assets.freshness import FRESHNESS
from wxyc_assets.library_identity import checks
from wxyc_assets.library_identity.asking import Resolver
from wxyc_assets.library_identity.drain import ShardDone
from wxyc_assets.library_identity.report import materialization, summary
from wxyc_assets.library_identity.run import Request, Tools, run
from wxyc_assets.operator import Operator
from wxyc_assets.partitions import shard_numbers
from wxyc_assets.partitions_dagster import SHARDS
from wxyc_assets.rehearsal import rehearsed
from wxyc_assets.run_origin import run_origin
from wxyc_assets.settings import IdentitySettings
from wxyc_assets.table_columns import table_metadata

TOOL = "library-identity-consumer"
"""The name that log lines and spans carry; dashboards know it from the predecessor."""


class LibraryIdentityConfig(dg.Config):
    """What a run may be told to do differently."""

    dry_run: bool = Field(default=False, description="ask LML and count, but write nothing")
    recheck: bool = Field(
        default=False, description="every library that once stayed unresolved, whatever the age of that"
    )
    include_null_canonical: bool = Field(
        default=False,
        description="also libraries without a canonical entity (or set INCLUDE_NULL_CANONICAL=1 for all runs)",
    )


@dg.multi_asset(
    name="library_identity",
    specs=[
        dg.AssetSpec(
            "library_identity",
            deps=["library"],
            skippable=True,
            group_name="identity",
            owners=["team:music-data"],
            kinds={"postgres", "python"},
            description=(
                "Who made each album of the library, as LML knows it. A row of `library_identity` is LML's verdict on one "
                "library row: Wikidata, Spotify and Apple Music ids of its artist, the method and how sure LML is. The ids "
                "of all six sources are in `wxyc_assets.library_artist_id`, what a verdict replaced in "
                "`library_identity_history`. A partition is the libraries with `id % 16` equal to its key."
            ),
            metadata={
                **table_metadata("wxyc_schema", "library_identity"),
                "sources": dg.MetadataValue.md("`wxyc_schema.library_identity_source`"),
            },
            freshness_policy=dg.FreshnessPolicy.time_window(**FRESHNESS["library_identity"].windows),
        )
    ],
    check_specs=checks.SPECS,
    partitions_def=SHARDS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    can_subset=True,  # a dry run has no checks of what is stored, and only a subset may leave some out
)
def library_identity(
    context: dg.AssetExecutionContext,
    config: LibraryIdentityConfig,
    postgres: dg.ResourceParam[Postgres],
    lml: dg.ResourceParam[Resolver],
    sentry: dg.ResourceParam[Sentry],
    operator: dg.ResourceParam[Operator],
    identity_settings: dg.ResourceParam[IdentitySettings],
) -> Iterator[dg.AssetCheckResult]:
    """Walk the run's shards, credit each as it is done, then say what must hold and what went wrong."""
    refuse_checks_alone(context, "library_identity")
    request = Request(
        run_id=context.run.run_id,
        origin=run_origin(context.run.tags),
        shards=shard_numbers(context.partition_keys),
        stale_after=identity_settings.stale_after,
        retry_after=identity_settings.retry_after,
        include_null_canonical=config.include_null_canonical or identity_settings.include_null_canonical,
        recheck=config.recheck,
        dry_run=config.dry_run,
    )
    tools = Tools(postgres, lml, sentry, operator.log(TOOL, request.run_id), operator.progress)

    def credit(done: ShardDone) -> None:
        context.log_event(materialization(done))

    report = run(request, tools, credit)
    operator.summaries[request.run_id] = summary(report)
    if request.dry_run:
        context.log_event(rehearsed("library_identity", summary(report)))
    yield from check_results(report.findings)
    if report.problems or report.could_not_work:
        raise dg.Failure(report.reason, allow_retries=False)
