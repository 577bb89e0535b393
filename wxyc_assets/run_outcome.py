"""How a run ended, as it follows from what went wrong in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Generic

from wxyc_assets.finding import Finding, failed_errors
from wxyc_assets.ledger import RunVerdict
from wxyc_assets.recorded_run import Partition, by_partition


@dataclass(kw_only=True)
class RunOutcome(Generic[Partition]):
    """The base of a room's report, which adds what was done and says what came short.

    ``refused``: why the run could not have or must not touch a partition. ``findings``: its checks. ``lost``: why it could
    not look at what it had done, at its end.
    """

    PARTITION_NOUN: ClassVar[str] = "shard"

    refused: dict[Partition, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    lost: str = ""

    @property
    def broken(self) -> Mapping[Partition, str]:
        """Why partitions were not worked on to their end."""
        return {}

    @property
    def uncredited(self) -> Mapping[Partition, str]:
        """Why partitions were worked on to their end and are not credited all the same."""
        return {}

    @property
    def in_vain(self) -> str:
        """Why nothing at all could come of a run that was walked to its end, such as an LML that is down for all of it."""
        return ""

    @property
    def missed(self) -> str:
        """What a run that did its job had to leave out, for someone to look at."""
        return ""

    @property
    def problems(self) -> dict[Partition, str]:
        """Why partitions could not be credited."""
        return {**self.refused, **self.broken, **self.uncredited}

    @property
    def could_not_work(self) -> str:
        """Why this run did not do its job, empty if it did: a unit locked, the database gone, or all of it in vain."""
        stopped = by_partition({**self.refused, **self.broken}, self.PARTITION_NOUN)
        return "; ".join(filter(None, (stopped, self.lost))) or self.in_vain

    @property
    def verdict(self) -> RunVerdict:
        """Whether it was done, was done with something to look at, or could not be done."""
        if self.could_not_work:
            return "failed"
        return "anomaly" if self.problems or self.missed or failed_errors(self.findings) else "done"

    @property
    def reason(self) -> str:
        """One sentence for the ledger and the run page; empty when all is well."""
        failed = failed_errors(self.findings)
        said = (
            self.could_not_work or by_partition(self.problems, self.PARTITION_NOUN) or self.missed,
            f"failed checks: {', '.join(failed)}" if failed else "",
        )
        return "; ".join(filter(None, said))
