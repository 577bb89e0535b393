"""The events that a run adds to its asset: materializations of partitions, check results, the observation of a dry run."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from wxyc_assets.orchestration.checks import evaluations
from wxyc_assets.runs.counts import OutcomeTable
from wxyc_assets.runs.findings import Check, failed_blocking
from wxyc_assets.runs.outcome import RunOutcome
from wxyc_assets.runs.run_console import RunConsole


class BlockingCheckError(dg.Failure):
    """A blocking check failed the run, and nothing else did; the alert of the check covers the run as well."""


def credit(asset: str, partition: int | str, counts: Mapping[str, Any], table: OutcomeTable) -> dg.AssetMaterialization:
    """Return the materialization of one partition: its counts as numbers that the UI plots, and one small table."""
    return dg.AssetMaterialization(asset, partition=str(partition), metadata=outcome_metadata(counts, table))


def outcome_metadata(counts: Mapping[str, Any], table: OutcomeTable) -> dict[str, Any]:
    """Return counts as metadata, with their table first."""
    return {"outcome": dg.MetadataValue.md(table.markdown(counts)), **counts}


def dry_run_event(
    asset: str, partitions: Collection[str], numbers: Mapping[str, Any], *, shown: Mapping[str, Any] | None = None
) -> dg.AssetObservation:
    """Return the observation that shows what a dry run found. It credits no partition: nothing was written.

    ``shown`` is listed first. A mapping among the numbers becomes one number for each of its items, named ``outer.inner``.
    """
    return dg.AssetObservation(
        asset,
        description="dry run: nothing was written",
        metadata={**(shown or {}), "partitions": len(partitions), **dict(_flat(numbers))},
    )


def publish(
    context: dg.AssetExecutionContext,
    console: RunConsole,
    asset: str,
    checks: Sequence[Check],
    report: RunOutcome[Any],
    *,
    whole: Mapping[str, Any] | None = None,
) -> Iterator[dg.MaterializeResult]:
    """Publish how a run ended: its summary, an evaluation of each check, and the run's failure.

    Raises dg.Failure, without retries, if a partition was not processed to its end or the run did not do its job;
    BlockingCheckError if a blocking check failed and nothing else did.

    Args:
        context: of the run.
        console: keeps the summary for the command that launched the run.
        asset: the asset's name.
        checks: its checks.
        report: how the run ended.
        whole: the metadata of an asset without partitions that is to be credited; otherwise nothing is yielded.
    """
    console.summaries[context.run.run_id] = report.summary()
    if whole is not None:
        yield dg.MaterializeResult(asset_key=asset, metadata=whole)
    for evaluation in evaluations(asset, checks, report.findings):
        context.log_event(evaluation)
    if report.problems or report.failure_reason:
        raise dg.Failure(report.reason, allow_retries=False)
    if failed_blocking(checks, report.findings):
        raise BlockingCheckError(report.reason, allow_retries=False)


def _flat(numbers: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if value is None or isinstance(value, int | float) else str(value)
