"""Dry runs: jobs beside the assets that run the same code, write nothing, and touch no partition, check or alert."""

from collections.abc import Mapping
from typing import Any

import dagster as dg
from pydantic import Field

from wxyc_assets.orchestration.events import dry_run_event
from wxyc_assets.runs.outcome import RunOutcome
from wxyc_assets.runs.partitions import SHARD_COUNT
from wxyc_assets.runs.run_console import RunConsole

DRY_RUN_TAG = "wxyc/dry_run"
"""The tag of every dry run, for the Runs list and the alerts."""


ALL_SHARDS = list(range(SHARD_COUNT))


class ShardsConfig(dg.Config):
    """The shards of a dry run."""

    shards: list[int] = Field(default_factory=ALL_SHARDS.copy, description=f"0 to {SHARD_COUNT - 1}; all by default")


def dry_run_job(
    name: str, op: dg.OpDefinition, *, description: str, config: Mapping[str, Any] | None = None
) -> dg.JobDefinition:
    """Return the job of one dry run. It is a job of an op, so that Dagster plans no partition and no check of the asset.

    ``config``: the op's options with their defaults, which the launchpad shows.
    """

    @dg.job(
        name=name,
        description=description,
        tags={DRY_RUN_TAG: "true"},
        executor_def=dg.in_process_executor,
        config={"ops": {op.name: {"config": dict(config)}}} if config else {},
    )
    def job() -> None:
        op()

    return job


def publish_dry_run(
    context: dg.OpExecutionContext,
    console: RunConsole,
    asset: str,
    report: RunOutcome[Any],
    *,
    numbers: Mapping[str, Any] | None = None,
    shown: Mapping[str, Any] | None = None,
) -> None:
    """Publish what a dry run found: its summary, and an observation among the asset's events.

    Args:
        context: of the run.
        console: keeps the summary for the command that launched the run.
        asset: the asset whose run it rehearses.
        report: how the dry run ended.
        numbers: what the observation shows; by default the dry run's report, or else the totals.
        shown: what the observation shows first.

    Raises dg.Failure, without retries, if the dry run could not do its job. What its checks found is in the summary only.
    """
    console.summaries[context.run.run_id] = report.summary()
    found = report.totals if report.dry_run_report is None else report.dry_run_report
    context.log_event(dry_run_event(asset, report.partitions, numbers or found, shown=shown))
    if report.failure_reason:
        raise dg.Failure(report.reason, allow_retries=False)
