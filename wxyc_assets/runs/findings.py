"""Checks before Dagster sees them: what a room checks, and what one run found. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Severity = Literal["ERROR", "WARN"]

Scope = Literal["partitions", "asset", "watched"]
"""What a check's result is about: the partitions of its run; the asset as it is now; or a condition that the alerts watch."""

QUARANTINED = "reasons and digests are in wxyc_assets.quarantine"


@dataclass(frozen=True)
class Check:
    """One check of an asset.

    Attributes:
        name: unique within the asset; the runbook has a section under this name.
        description: what holds when the check passes.
        blocking: whether its failure fails what depends on the asset.
        scope: what its result is about.
        stored: whether it can be evaluated without a run, on what is stored or what LML says now.
    """

    name: str
    description: str
    blocking: bool = False
    scope: Scope = "partitions"
    stored: bool = False


@dataclass(frozen=True)
class Finding:
    """The result of one check in one run.

    A failed ERROR makes the run an anomaly (exit code 2); a failed WARN only reports. ``numbers`` are what it is decided
    on. ``partitions``: the partitions that caused the failure; empty if unknown. ``by_partition``: how many inputs or rows
    failed it in each of them; empty if unknown.
    """

    name: str
    passed: bool
    severity: Severity = "ERROR"
    numbers: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    partitions: Sequence[str] = ()
    by_partition: Mapping[str, int] = field(default_factory=dict)


def failed_errors(findings: Sequence[Finding]) -> list[str]:
    """Return the names of the failed ERROR checks."""
    return [finding.name for finding in findings if not finding.passed and finding.severity == "ERROR"]


def failed_blocking(checks: Sequence[Check], findings: Sequence[Finding]) -> list[str]:
    """Return the names of the failed ERROR findings whose check blocks."""
    blocking = {check.name for check in checks if check.blocking}
    return [name for name in failed_errors(findings) if name in blocking]


def attributed(findings: Sequence[Finding], own: Mapping[Any, Sequence[Finding]]) -> list[Finding]:
    """Return a run's findings, each failed one with the partitions whose ``own`` findings failed the same check.

    A check that needs a minimum of answers can fail for the run and for no single partition: then ``partitions`` stays empty.
    """
    return [replace(finding, partitions=_guilty(finding, own)) for finding in findings]


def _guilty(finding: Finding, own: Mapping[Any, Sequence[Finding]]) -> Sequence[str]:
    if finding.passed or finding.partitions:
        return finding.partitions
    return [str(key) for key, found in own.items() if any(one.name == finding.name and not one.passed for one in found)]
