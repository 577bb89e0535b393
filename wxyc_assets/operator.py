"""The person, or the scheduler, behind a run: what it is told while the run goes on, and the summary at the end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from resources.step_log import StepLog, step_log
from wxyc_assets.finding import Finding
from wxyc_assets.ledger import RunVerdict
from wxyc_assets.progress import Progress, Silent


@dataclass(frozen=True)
class RunSummary:
    """How one run ended, for whoever launched it in this process.

    ``totals`` has the contract's counter names; ``dry_run_report`` is the contract's locked object, None for a real run.
    """

    partitions: list[str]
    totals: Mapping[str, Any]
    verdict: RunVerdict
    findings: Sequence[Finding] = ()
    reason: str = ""
    dry_run: bool = False
    dry_run_report: Mapping[str, Any] | None = None


@dataclass
class Operator:
    """Where log lines, progress and summaries go. A run of the daemon logs JSON lines to stderr and has no progress."""

    progress: Progress = field(default_factory=Silent)
    human: bool | None = None
    secrets: Collection[str] = field(default=(), repr=False)
    summaries: dict[str, RunSummary] = field(default_factory=dict)

    def log(self, tool: str, run_id: str) -> StepLog:
        """Return the step log of a run."""
        return step_log(tool=tool, run_id=run_id, human=self.human, secrets=self.secrets)
