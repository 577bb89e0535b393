"""A dry run as a person sees it: an observation with its numbers, on the run's page and among the asset's events."""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from wxyc_assets.operator import RunSummary


def rehearsed(asset: str, summary: RunSummary, *, shown: Mapping[str, Any] | None = None) -> dg.AssetObservation:
    """Return the event that shows what a dry run found out. It is no credit: nothing was done, and no partition is fresher.

    ``shown`` comes first. The numbers are the dry run's report, or the totals of a run that has no other report than those; an
    object among them becomes one number for each of its own, named after both.
    """
    numbers = summary.totals if summary.dry_run_report is None else summary.dry_run_report
    return dg.AssetObservation(
        asset,
        description="dry run: nothing was written",
        metadata={**(shown or {}), "partitions": len(summary.partitions), **dict(_flat(numbers))},
    )


def _flat(numbers: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if value is None or isinstance(value, int | float) else str(value)
