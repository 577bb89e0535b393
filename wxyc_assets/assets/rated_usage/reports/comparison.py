"""What two price books bill for the same usage, computed by the rating itself, which is rolled back."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.counters import RatingResult
from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.assets.rated_usage.reports.rows import PACKAGE
from wxyc_assets.runs.advisory_locks import UNIT_WAIT_S, Locks, unit
from wxyc_assets.runs.bisecting_write import retry_on_conflict
from wxyc_assets.runs.partitions import HOUR, hour_start

RUN_ID = "comparison"
"""The run that the rating names as its cause. It is rolled back, so that no ledger has it."""

Key = tuple[str, str]
"""A model and a customer."""


class HourBusyError(Exception):
    """A run holds an hour that is to be compared."""


@dataclass
class Side:
    """What one book bills: cost and events by model and customer, and the events that it leaves out."""

    costs: dict[Key, Usd] = field(default_factory=dict)
    events: dict[Key, int] = field(default_factory=dict)
    unpriced_events: int = 0
    ambiguous_base_events: int = 0
    ambiguous_org_events: int = 0

    def add(self, rated: RatingResult, rows: Iterable[tuple[str, str, int, str]]) -> None:
        """Add an hour."""
        self.unpriced_events += rated.counters.unpriced_events
        self.ambiguous_base_events += rated.counters.ambiguous_base_events
        self.ambiguous_org_events += rated.counters.ambiguous_org_events
        for model, customer, events, cost in rows:
            key = (model, customer)
            self.costs[key] = self.costs.get(key, Usd()) + Usd.parse(cost)
            self.events[key] = self.events.get(key, 0) + events

    def as_json(self) -> dict[str, Any]:
        """Return the totals, amounts as decimal text."""
        return {
            "total_cost": str(sum(self.costs.values(), start=Usd())),
            "events_rated": sum(self.events.values()),
            "unpriced_events": self.unpriced_events,
            "ambiguous_base_events": self.ambiguous_base_events,
            "ambiguous_org_events": self.ambiguous_org_events,
        }


@dataclass(frozen=True)
class Comparison:
    """What the old and the new book bill for the same hours."""

    old: Side = field(default_factory=Side)
    new: Side = field(default_factory=Side)

    @property
    def moved(self) -> Usd:
        """By how much the new book bills more."""
        costs = (sum(side.costs.values(), start=Usd()) for side in (self.new, self.old))
        return next(costs) - next(costs)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each model and customer, those that move most first."""
        return self._rows({key: {"model_id": key[0], "auth_id": key[1]} for key in self.old.costs | self.new.costs})

    def by_model(self) -> list[dict[str, Any]]:
        """Return a row for each model, those that move most first."""
        return self._rows({key: {"model_id": key[0]} for key in self.old.costs | self.new.costs})

    def by_customer(self) -> list[dict[str, Any]]:
        """Return a row for each customer, those that move most first."""
        return self._rows({key: {"auth_id": key[1]} for key in self.old.costs | self.new.costs})

    def _rows(self, names: Mapping[Key, Mapping[str, str]]) -> list[dict[str, Any]]:
        groups: dict[tuple[str, ...], list[Key]] = {}
        for key, name in names.items():
            groups.setdefault(tuple(name.values()), []).append(key)
        found = []
        for keys in groups.values():
            old, new = (sum((s.costs.get(key, Usd()) for key in keys), start=Usd()) for s in (self.old, self.new))
            found.append((new - old, keys, old, new))
        found.sort(key=lambda row: (-abs(row[0].nano), row[1]))
        return [
            {
                **names[keys[0]],
                "events_old": sum(self.old.events.get(key, 0) for key in keys),
                "events_new": sum(self.new.events.get(key, 0) for key in keys),
                "cost_old": str(old),
                "cost_new": str(new),
                "moved": str(moved),
            }
            for moved, keys, old, new in found
        ]


def compare_books(postgres: Postgres, hours: Iterable[str], old: PriceBook, new: PriceBook) -> Comparison:
    """Rate each hour with the old book and then with the new one, roll both back, and return what each bills.

    Both books rate every hour, whatever their ``effective_from``. An hour is one transaction under the hour's lock, as in a
    plan; nothing stays. Raises HourBusyError if a run still holds an hour after a minute; psycopg.Error.
    """
    comparison = Comparison()
    connection = store.open_session(postgres)
    try:
        locks = Locks(connection)
        for hour in hours:
            name = unit(store.ASSET, hour)
            if refusals := locks.take([name], UNIT_WAIT_S):
                raise HourBusyError(str(refusals[0]))
            rated = retry_on_conflict(
                lambda _attempt, hour=hour: _rate_hour(connection, hour_start(hour), (old, new)),  # type: ignore[misc]
                sleep=time.sleep,
            )
            locks.release(name)
            for side, result in zip((comparison.old, comparison.new), rated, strict=True):
                side.add(*result)
    finally:
        connection.close()
    return comparison


def _rate_hour(
    connection: psycopg.Connection, hour: datetime, books: Iterable[PriceBook]
) -> list[tuple[RatingResult, list[tuple[str, str, int, str]]]]:
    """Rate an hour with one book after the other, in a transaction that is rolled back."""
    with connection.transaction(force_rollback=True):
        return [
            (
                store.rate_hour(connection, hour, store.Cause(RUN_ID, "explicit", book), commit=True),
                connection.execute(
                    sql_files.load(PACKAGE, "select_hour_costs"), {"window_start": hour, "window_end": hour + HOUR}
                ).fetchall(),
            )
            for book in books
        ]
