"""What is counted while usage is rated, by hour. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from wxyc_assets.accounting import Counts
from wxyc_assets.rated_usage.money import Usd


@dataclass(frozen=True)
class Counters(Counts):
    """Events by their outcome, rows by what became of them. Source: contract/rated-usage.md, "Rating one window".

    ``events`` = events_rated + unpriced_events + unattributable_events + ambiguous_base_events.
    ``rollups_written`` is how many rows the hours hold now = rows_inserted + rows_changed + rows_unchanged.
    ``uncharged_events`` had tokens and cost nothing, at a price that is not 0 throughout.
    ``rows_before``, ``rows_written``, ``rows_deleted`` and ``changes_kept`` were counted by the tables themselves.
    """

    events: int = 0
    events_rated: int = 0
    unpriced_events: int = 0
    unattributable_events: int = 0
    ambiguous_base_events: int = 0
    uncharged_events: int = 0
    rollups_written: int = 0
    rows_inserted: int = 0
    rows_changed: int = 0
    rows_unchanged: int = 0
    reconciled_deletions: int = 0
    rows_before: int = 0
    rows_written: int = 0
    rows_deleted: int = 0
    changes_kept: int = 0

    @property
    def anomalies(self) -> int:
        """Events that were not billed."""
        return self.unpriced_events + self.unattributable_events + self.ambiguous_base_events

    @property
    def changes(self) -> int:
        """Rows that were inserted, changed or deleted."""
        return self.rows_inserted + self.rows_changed + self.reconciled_deletions


_NOTHING = Usd()


@dataclass(frozen=True)
class Rated:
    """What one hour, or several, came to: the counts, and the money.

    ``total_cost`` is what the hours cost now, ``cost_before`` what their rows said until then; ``cost_raised`` and
    ``cost_lowered`` are what rows went up and down by, both not negative.
    """

    counters: Counters = Counters()
    total_cost: Usd = _NOTHING
    cost_before: Usd = _NOTHING
    cost_raised: Usd = _NOTHING
    cost_lowered: Usd = _NOTHING

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Self:
        """Read the one row that ``rate_hour`` returns."""
        return cls(Counters.from_stored(row), **{name: Usd.of(row[name]) for name in _MONEY})

    @property
    def cost_moved(self) -> Usd:
        """What the hours cost more than before; negative if less."""
        return self.cost_raised - self.cost_lowered

    @property
    def money(self) -> dict[str, Usd]:
        """The amounts by name."""
        return {**{name: getattr(self, name) for name in _MONEY}, "cost_moved": self.cost_moved}

    def totals(self) -> dict[str, Any]:
        """Return all numbers by name, money as ``Usd``."""
        return {**self.counters.stored(), **self.money}

    def stored(self) -> dict[str, Any]:
        """Return all numbers as the ledger keeps them, money as decimal text."""
        return {**self.counters.stored(), **{name: str(amount) for name, amount in self.money.items()}}

    def __add__(self, other: "Rated") -> "Rated":
        return Rated(
            self.counters + other.counters, **{name: getattr(self, name) + getattr(other, name) for name in _MONEY}
        )


_MONEY = tuple(field.name for field in fields(Rated) if field.name != "counters")


def summed(parts: Iterable[Rated]) -> Rated:
    """Add up hours."""
    return sum(parts, start=Rated())
