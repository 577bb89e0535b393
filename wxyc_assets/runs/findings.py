"""What a run finds out about itself: the checks, before Dagster sees them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Severity = Literal["ERROR", "WARN"]

Scope = Literal["partitions", "asset", "watched"]
"""What a check's result speaks of: the partitions of its run; the asset as it is now; or what the alerts watch anyway."""


@dataclass(frozen=True)
class Finding:
    """One check of one run.

    A failed ERROR makes the run an anomaly that someone must look at (exit code 2); a failed WARN only tells.
    ``numbers`` are what the decision was made on. ``partitions``: those that made it fail; none: whoever knows, it does not.
    """

    name: str
    passed: bool
    severity: Severity = "ERROR"
    numbers: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    partitions: Sequence[str] = ()


def failed_errors(findings: Sequence[Finding]) -> list[str]:
    """Return the names of the failed ERROR checks."""
    return [finding.name for finding in findings if not finding.passed and finding.severity == "ERROR"]


def blamed(findings: Sequence[Finding], own: Mapping[Any, Sequence[Finding]]) -> list[Finding]:
    """Return a run's findings, each failed one with the partitions whose ``own`` findings failed the same check.

    A share of few answers says nothing, and that of all of them may: then no partition is to blame.
    """
    return [replace(finding, partitions=_guilty(finding, own)) for finding in findings]


def _guilty(finding: Finding, own: Mapping[Any, Sequence[Finding]]) -> Sequence[str]:
    if finding.passed or finding.partitions:
        return finding.partitions
    return [str(key) for key, found in own.items() if any(one.name == finding.name and not one.passed for one in found)]
