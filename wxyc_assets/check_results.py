"""Findings as Dagster's check results."""

from collections.abc import Iterable, Iterator

import dagster as dg

from wxyc_assets.finding import Finding

PARTITIONS = "failed_partitions"
"""Under which name a failed result says which partitions it is about: those of a run over several have one result."""

TOLD_PARTITIONS = 100
"""More than so many are not told: then it is about all of the run's."""


def check_results(findings: Iterable[Finding]) -> Iterator[dg.AssetCheckResult]:
    """Yield each finding as the result of the check of its name."""
    for finding in findings:
        yield dg.AssetCheckResult(
            check_name=finding.name,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity(finding.severity),
            metadata={**finding.numbers, **_partitions(finding)},
            description=finding.description or None,
        )


def _partitions(finding: Finding) -> dict[str, str]:
    told = finding.partitions if len(finding.partitions) <= TOLD_PARTITIONS else ()
    return {PARTITIONS: ", ".join(told)} if told else {}
