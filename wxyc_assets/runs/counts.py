"""Counters of a run: how they add up, how they are stored, and the table that shows them. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Self


@dataclass(frozen=True)
class Counts:
    """The base of a room's counters: a frozen dataclass of ints that start at 0 and can be added and subtracted."""

    def __add__(self, other: Self) -> Self:
        return self.plus(**other.stored())

    def __sub__(self, other: Self) -> Self:
        return self.plus(**{name: -count for name, count in other.stored().items()})

    def plus(self, **counts: int) -> Self:
        """Return these counters with some of them increased."""
        return replace(self, **{name: getattr(self, name) + count for name, count in counts.items()})

    def stored(self) -> dict[str, int]:
        """Return the counters as the ledger stores them."""
        return asdict(self)

    @classmethod
    def from_stored(cls, stored: Mapping[str, int]) -> Self:
        """Read what ``stored`` returned; a counter that an older revision did not have is 0."""
        return cls(**{f.name: int(stored.get(f.name, 0)) for f in fields(cls)})


@dataclass(frozen=True)
class OutcomeTable:
    """A table of the outcomes of a partition's inputs.

    Attributes:
        inputs: what the inputs are called.
        meanings: the description of each counter, in order; counters that are 0 are left out.
        nothing: the only line of a partition whose counters are all 0.
    """

    inputs: str
    meanings: Mapping[str, str]
    nothing: str

    def markdown(self, counts: Mapping[str, int]) -> str:
        """Return the table of these counters."""
        rows = [f"| {counts[name]} | {meaning} |" for name, meaning in self.meanings.items() if counts[name]]
        return "\n".join([f"| {self.inputs} | outcome |", "|---:|---|", *(rows or [f"| 0 | {self.nothing} |"])])


def unaccounted(*, inputs_read: int, scanned: int, in_buckets: int) -> str:
    """Say how the numbers disagree; empty if every input was counted exactly once.

    ``inputs_read`` is counted where inputs are read, ``scanned`` where they are tallied, ``in_buckets`` is the sum of the
    outcomes. The three agree only if no input was lost and none was counted twice.
    """
    if inputs_read == scanned == in_buckets:
        return ""
    return f"{inputs_read} inputs were read, {scanned} were counted as scanned, {in_buckets} have an outcome"
