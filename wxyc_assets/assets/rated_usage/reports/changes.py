"""Which billed rows changed in a time: each change with its cause, before and after, and the sums by cause and by run."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import psycopg

from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.assets.rated_usage.reports.rows import Row, Rows, stream

CAUSES = {
    "events": "events",
    "prices": "prices",
    "both": "events and prices",
    "unknown": "not recorded",
}
"""The causes of the ledger, as text."""


@dataclass(frozen=True)
class Maker:
    """What made rows change: the cause, the run, its origin and the digest of its price file."""

    cause: str
    run_id: str
    origin: str
    price_digest: str


@dataclass
class Sums:
    """How many rows were inserted, changed and deleted, and their cost before and after."""

    inserted: int = 0
    changed: int = 0
    deleted: int = 0
    cost_before: Usd = field(default_factory=Usd)
    cost_after: Usd = field(default_factory=Usd)

    @property
    def moved(self) -> Usd:
        """By how much the changes raised the bills."""
        return self.cost_after - self.cost_before

    def add(self, change: Row) -> None:
        """Count one change."""
        self.inserted += change["kind"] == "insert"
        self.changed += change["kind"] == "change"
        self.deleted += change["kind"] == "delete"
        self.cost_before += Usd.parse(change["cost_before"] or "0")
        self.cost_after += Usd.parse(change["cost_after"] or "0")

    def as_json(self) -> dict[str, Any]:
        """Return the sums with amounts as decimal text."""
        counts = {"inserted": self.inserted, "changed": self.changed, "deleted": self.deleted}
        money = {"cost_before": self.cost_before, "cost_after": self.cost_after, "moved": self.moved}
        return counts | {name: str(amount) for name, amount in money.items()}

    def text(self) -> str:
        """Return the sums as one phrase."""
        moved = f"{'' if self.moved.nano < 0 else '+'}{self.moved}"
        return f"{self.inserted} rows inserted, {self.changed} changed, {self.deleted} deleted, {moved} USD"


@dataclass
class ChangeSums:
    """The sums of changes: all of them, by cause, and by cause and run. Each in the order of the first change."""

    total: Sums = field(default_factory=Sums)
    by_cause: dict[str, Sums] = field(default_factory=dict)
    by_run: dict[Maker, Sums] = field(default_factory=dict)

    def add(self, change: Row) -> None:
        """Count one change."""
        maker = Maker(change["cause"], change["run_id"], change["origin"], change["price_digest"])
        for sums in (
            self.total,
            self.by_cause.setdefault(maker.cause, Sums()),
            self.by_run.setdefault(maker, Sums()),
        ):
            sums.add(change)

    def as_json(self) -> dict[str, Any]:
        """Return the sums with amounts as decimal text."""
        return {
            "total": self.total.as_json(),
            "by_cause": [{"cause": cause, **sums.as_json()} for cause, sums in self.by_cause.items()],
            "by_run": [{**asdict(maker), **sums.as_json()} for maker, sums in self.by_run.items()],
        }


def read_changes(connection: psycopg.Connection, since: datetime, until: datetime) -> Rows:
    """Return the changes that were made in [since, until), oldest first."""
    return stream(connection, "select_changes", since=since, until=until)
