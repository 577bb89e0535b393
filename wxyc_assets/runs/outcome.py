"""What a run is to do, and how it ended: its verdict, its reason and its summary, derived from what its report holds."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic

from wxyc_assets.runs.findings import Finding, failed_errors
from wxyc_assets.runs.ledger import RunVerdict
from wxyc_assets.runs.lifecycle import Partition, by_partition
from wxyc_assets.runs.origin import RunOrigin


@dataclass(frozen=True)
class RunSummary:
    """How one run ended, for the command that launched it in this process.

    ``totals`` has the contract's counter names; ``dry_run_report`` is the contract's locked object, None for a real run.
    ``follow_up``: what an operator has to do after the run, lists by name.
    """

    partitions: list[str]
    totals: Mapping[str, Any]
    verdict: RunVerdict
    findings: Sequence[Finding] = ()
    reason: str = ""
    dry_run: bool = False
    dry_run_report: Mapping[str, Any] | None = None
    follow_up: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunRequest:
    """The base of a room's request, which adds its partitions and settings; a dry run writes nothing."""

    run_id: str
    origin: RunOrigin
    dry_run: bool = field(default=False, kw_only=True)

    @property
    def partitions(self) -> list[str]:
        """The partition keys that the run was launched for, in order; none if the asset has no partitions."""
        return []


@dataclass(frozen=True)
class ShardRequest(RunRequest):
    """The base of the request of a run over shards."""

    shards: Sequence[int]

    @property
    def partitions(self) -> list[str]:
        """The keys of the shards, in their order."""
        return [str(shard) for shard in sorted(self.shards)]


@dataclass(kw_only=True)
class RunOutcome(ABC, Generic[Partition]):
    """The base of a room's report, which adds what the run did and what it could not do.

    Attributes:
        request: what the run was to do.
        refused: why the run could not lock or must not touch a partition.
        findings: the results of its checks.
        unvouched: which blocking checks of its own a partition failed; it was processed to its end and is not credited.
        lost: why it could not read back, at its end, what it had done.
        dry_run_report: what a dry run reports instead of totals; None: the totals are the report.
    """

    PARTITION_NOUN: ClassVar[str] = "shard"

    request: RunRequest
    refused: dict[Partition, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    unvouched: dict[Partition, str] = field(default_factory=dict)
    lost: str = ""
    dry_run_report: Mapping[str, Any] | None = None

    @property
    def dry_run(self) -> bool:
        """Whether the run wrote nothing."""
        return self.request.dry_run

    @property
    def partitions(self) -> list[str]:
        """The partition keys that the run was launched for, in order."""
        return self.request.partitions

    @property
    @abstractmethod
    def totals(self) -> Mapping[str, Any]:
        """The counts of all partitions under the contract's names."""

    @property
    def broken(self) -> Mapping[Partition, str]:
        """Why partitions were not processed to their end."""
        return {}

    @property
    def uncredited(self) -> Mapping[Partition, str]:
        """Why partitions were processed to their end and still cannot be credited."""
        return {}

    @property
    def total_failure(self) -> str:
        """Why a run that was processed to its end achieved nothing, such as an LML that is down throughout."""
        return ""

    @property
    def missed(self) -> str:
        """What a run that did its job had to leave out, for an operator to look at."""
        return ""

    @property
    def follow_up(self) -> Mapping[str, Any]:
        """What an operator has to do after the run, outside of this program; lists by name."""
        return {}

    @property
    def problems(self) -> dict[Partition, str]:
        """Why partitions could not be credited, apart from their blocking checks."""
        return {**self.refused, **self.broken, **self.uncredited}

    @property
    def failure_reason(self) -> str:
        """Why this run did not do its job, empty if it did: a unit locked, the database gone, or a total failure."""
        stopped = by_partition({**self.refused, **self.broken}, self.PARTITION_NOUN)
        return "; ".join(filter(None, (stopped, self.lost))) or self.total_failure

    @property
    def verdict(self) -> RunVerdict:
        """``failed``: it did not do its job; ``anomaly``: it did, with something to look at; ``done`` otherwise."""
        if self.failure_reason:
            return "failed"
        return "anomaly" if self.problems or self.missed or failed_errors(self.findings) else "done"

    @property
    def reason(self) -> str:
        """One sentence for the ledger and the run page; empty when all is well."""
        failed = failed_errors(self.findings)
        parts = (
            self.failure_reason or by_partition(self.problems, self.PARTITION_NOUN) or self.missed,
            f"failed checks: {', '.join(failed)}" if failed else "",
        )
        return "; ".join(filter(None, parts))

    def summary(self) -> RunSummary:
        """Return what the command line prints of the run."""
        return RunSummary(
            partitions=self.partitions,
            totals=self.totals,
            verdict=self.verdict,
            findings=self.findings,
            reason=self.reason,
            dry_run=self.dry_run,
            dry_run_report=self.dry_run_report,
            follow_up=self.follow_up,
        )
