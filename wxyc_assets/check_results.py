"""Findings as Dagster's check results."""

from collections.abc import Iterable, Iterator

import dagster as dg

from wxyc_assets.finding import Finding


def check_results(findings: Iterable[Finding]) -> Iterator[dg.AssetCheckResult]:
    """Yield each finding as the result of the check of its name."""
    for finding in findings:
        yield dg.AssetCheckResult(
            check_name=finding.name,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity(finding.severity),
            metadata=dict(finding.numbers),
            description=finding.description or None,
        )
