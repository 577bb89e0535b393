"""The counters and amounts of rated hours. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.assets.rated_usage.top_customers import CustomerCost, read_customers
from wxyc_assets.runs.counts import Counts


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of events and of rows by their outcome. Source: contract/rated-usage.md, "Rating one window".

    ``events`` = events_rated + unpriced_events + unattributable_events + ambiguous_base_events +
    ambiguous_org_events.
    ``rollups_written``: the rows that the hours have after rating = rows_inserted + rows_changed + rows_unchanged.
    ``uncharged_events``: events with tokens that cost nothing, although their model has a rate above 0.
    ``rows_repriced``: rows that changed because of the price file, whether or not their events changed too.
    ``negative_rows``: billed rows that have an event with a negative number of tokens.
    ``rows_before``, ``rows_written``, ``rows_deleted`` and ``changes_kept`` are counted on the tables themselves.
    """

    events: int = 0
    events_rated: int = 0
    unpriced_events: int = 0
    unattributable_events: int = 0
    ambiguous_base_events: int = 0
    ambiguous_org_events: int = 0
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
    rows_repriced: int = 0
    negative_rows: int = 0

    @property
    def anomalies(self) -> int:
        """Events that were not billed."""
        ambiguous = self.ambiguous_base_events + self.ambiguous_org_events
        return self.unpriced_events + self.unattributable_events + ambiguous

    @property
    def changes(self) -> int:
        """Rows that were inserted, changed or deleted."""
        return self.rows_inserted + self.rows_changed + self.reconciled_deletions


_ZERO = Usd()
MAX_NAMED_ROWS = 3
"""Rows that a result names, for an hour as for many."""


@dataclass(frozen=True)
class RatingResult:
    """The result of rating one hour, or several: counters and amounts.

    ``total_cost``: the cost of the hours after rating. ``cost_before``: the cost of their rows before. ``cost_raised`` and
    ``cost_lowered``: the sums by which rows went up and down; neither is negative. ``moved_by_prices``: what the rows that the
    price file changed cost more than before, by model. ``negative_named``: some of the rows with negative tokens.
    ``top_customers``: the ten with the highest costs; empty for several hours.
    """

    counters: Counters = Counters()
    total_cost: Usd = _ZERO
    cost_before: Usd = _ZERO
    cost_raised: Usd = _ZERO
    cost_lowered: Usd = _ZERO
    moved_by_prices: Mapping[str, Usd] = field(default_factory=dict)
    negative_named: Sequence[str] = ()
    top_customers: Sequence[CustomerCost] = ()

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Self:
        """Read the row that ``rate_hour`` returns."""
        moved = {model: Usd.parse(text) for model, text in (row["moved_by_prices"] or {}).items()}
        return cls(
            Counters.from_stored(row),
            **{name: Usd.parse(row[name]) for name in _MONEY},
            moved_by_prices=moved,
            negative_named=row["negative_named"] or (),
            top_customers=read_customers(row["top_customers"]),
        )

    @property
    def cost_moved(self) -> Usd:
        """How much more the hours cost than before; negative if less."""
        return self.cost_raised - self.cost_lowered

    @property
    def money(self) -> dict[str, Usd]:
        """The amounts by name."""
        return {**{name: getattr(self, name) for name in _MONEY}, "cost_moved": self.cost_moved}

    def totals(self) -> dict[str, Any]:
        """Return all numbers by name, money as ``Usd``."""
        return {**self.counters.stored(), **self.money}

    def stored(self) -> dict[str, Any]:
        """Return all numbers as the ledger stores them, money as decimal text."""
        return {**self.counters.stored(), **{name: str(amount) for name, amount in self.money.items()}}

    def __add__(self, other: "RatingResult") -> "RatingResult":
        return RatingResult(
            self.counters + other.counters,
            **{name: getattr(self, name) + getattr(other, name) for name in _MONEY},
            moved_by_prices=_add_up(self.moved_by_prices, other.moved_by_prices),
            negative_named=(*self.negative_named, *other.negative_named)[:MAX_NAMED_ROWS],
        )


def _add_up(moved: Mapping[str, Usd], more: Mapping[str, Usd]) -> Mapping[str, Usd]:
    if not (moved and more):
        return moved or more
    return {model: moved.get(model, _ZERO) + more.get(model, _ZERO) for model in {**moved, **more}}


_NOT_MONEY = {"counters", "moved_by_prices", "negative_named", "top_customers"}
_MONEY = tuple(each.name for each in fields(RatingResult) if each.name not in _NOT_MONEY)


def sum_results(results: Iterable[RatingResult]) -> RatingResult:
    """Add up the results of several hours."""
    return sum(results, start=RatingResult())
