"""What every run counts in, and must be able to prove of its numbers. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Self


@dataclass(frozen=True)
class Counts:
    """Numbers that add up: the base of a room's counters, which are a frozen dataclass of ints that begin at 0."""

    def __add__(self, other: Self) -> Self:
        return self.plus(**other.stored())

    def __sub__(self, other: Self) -> Self:
        return self.plus(**{name: -count for name, count in other.stored().items()})

    def plus(self, **counts: int) -> Self:
        """Return these counters with some of them increased."""
        return replace(self, **{name: getattr(self, name) + count for name, count in counts.items()})

    def stored(self) -> dict[str, int]:
        """Return the counters as the ledger keeps them."""
        return asdict(self)

    @classmethod
    def from_stored(cls, stored: Mapping[str, int]) -> Self:
        """Read what ``stored`` returned, also where an older revision knew fewer counters."""
        return cls(**{f.name: int(stored.get(f.name, 0)) for f in fields(cls)})


def unaccounted(*, inputs_read: int, scanned: int, in_buckets: int) -> str:
    """Say how the numbers disagree, empty if every input was counted exactly once.

    ``inputs_read`` is counted where inputs are read, ``scanned`` where they are tallied, ``in_buckets`` is the sum of the
    outcomes: three counts that can only agree when nothing was lost or counted twice.
    """
    if inputs_read == scanned == in_buckets:
        return ""
    return f"{inputs_read} inputs were read, {scanned} were counted as scanned, {in_buckets} have an outcome"
