"""What a run finds out about itself: the checks, before Dagster sees them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["ERROR", "WARN"]


@dataclass(frozen=True)
class Finding:
    """One check of one run.

    A failed ERROR makes the run an anomaly that someone must look at (exit code 2); a failed WARN only tells.
    ``numbers`` are what the decision was made on.
    """

    name: str
    passed: bool
    severity: Severity = "ERROR"
    numbers: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""


def failed_errors(findings: Sequence[Finding]) -> list[str]:
    """Return the names of the failed ERROR checks."""
    return [finding.name for finding in findings if not finding.passed and finding.severity == "ERROR"]
