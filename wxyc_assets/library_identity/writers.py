"""What a drain hands its pages to: the tables (store.ShardWriter), or nobody in a dry run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from wxyc_assets import ledger
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.verdicts import Outcome, counted


class Writer(Protocol):
    """Where the outcomes of a shard go."""

    tallied: Counters

    def write(self, outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Write a page and return the outcomes as they were written."""

    def reject(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Put on record what no input can answer for."""

    def complete(self) -> None:
        """Record that the shard was walked to its end."""


@dataclass
class TallyOnly:
    """The writer of a dry run: counts, writes nothing."""

    tallied: Counters = field(default_factory=Counters)

    def write(self, outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Count a page."""
        self.tallied = self.tallied + beside + counted(outcomes)
        return list(outcomes)

    def reject(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Put nothing on record."""

    def complete(self) -> None:
        """Record nothing."""
