"""What ``wxyc budget`` shows: the use of the shared budget of Discogs calls, the runs that wait for it, and a forecast."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from resources import sql_files
from resources.budget import DISCOGS
from resources.lml.endpoints import DISCOGS_CAP_PER_MIN
from wxyc_assets.runs.advisory_locks import held_units, run_unit


@dataclass(frozen=True)
class QueuedRun:
    """A running run, and how many Discogs calls it still expects to make."""

    run_id: str
    asset: str
    discogs_calls_left: float


@dataclass(frozen=True)
class BudgetView:
    """The budget at one instant; all instants are UTC.

    Attributes:
        at: the instant, by the database's clock.
        per_minute: Discogs calls a minute that the settings allow.
        used_last_minute: calls that started in the last minute.
        reserved_ahead: calls that are reserved and start later.
        free_at: from then on the next call starts at once if its minute has room for it.
        blocked_until: LML asked its clients to wait until then; None: it did not.
        queue: the runs that wait for the budget.
    """

    at: datetime
    per_minute: float
    used_last_minute: float
    reserved_ahead: float
    free_at: datetime
    blocked_until: datetime | None
    queue: Sequence[QueuedRun]

    @property
    def done_at(self) -> datetime | None:
        """About when the queue is done, by the estimates of its runs; None if it is empty.

        Answers from LML's cache make it earlier. Calls that do not fill a minute exactly leave a part of it unused and make it
        later.
        """
        if not self.queue:
            return None
        calls = sum(run.discogs_calls_left for run in self.queue)
        return self.free_at + timedelta(minutes=calls / self.per_minute)

    def as_json(self) -> dict[str, Any]:
        """Return the view as the object that the command prints."""
        return {
            "at": _iso(self.at),
            "discogs_calls_per_min": self.per_minute,
            "discogs_cap_per_min": DISCOGS_CAP_PER_MIN,
            "used_last_minute": self.used_last_minute,
            "reserved_ahead": self.reserved_ahead,
            "free_at": _iso(self.free_at),
            "blocked_until": _iso(self.blocked_until),
            "queue": [vars(run) for run in self.queue],
            "done_at": _iso(self.done_at),
        }

    def lines(self) -> list[str]:
        """Return the view as lines for the terminal, with instants in the local time zone."""
        used = f"{self.used_last_minute:g} of {self.per_minute:g} Discogs calls were used in the last minute"
        reserved = f", {self.reserved_ahead:g} more are reserved" if self.reserved_ahead else ""
        lines = [used + reserved]
        if self.blocked_until:
            lines.append(f"LML asked its clients to wait until {_local(self.blocked_until)}")
        lines += [
            f"waiting: {run.asset}, about {run.discogs_calls_left:g} calls left (run {run.run_id})"
            for run in self.queue
        ]
        lines.append(f"done about {_local(self.done_at)}" if self.done_at else "no run waits for it")
        return lines


def read_budget(connection: psycopg.Connection, per_minute: float) -> BudgetView:
    """Read the budget's state and queue. Raises psycopg.DataError if our schema has no budget."""
    use = connection.execute(sql_files.load("wxyc_assets.cli", "budget_use"), {"name": DISCOGS}).fetchone()
    if use is None:
        raise psycopg.DataError(f"wxyc_assets.budget has no row {DISCOGS}: run `wxyc migrate`")
    rows = connection.execute(sql_files.load("wxyc_assets.cli", "budget_queue")).fetchall()
    queue = [QueuedRun(*row) for row in rows]
    alive = held_units(connection, [run_unit(run.run_id) for run in queue])
    at, used, ahead, free_at, blocked_until = use
    return BudgetView(
        at=at,
        per_minute=per_minute,
        used_last_minute=used,
        reserved_ahead=ahead,
        free_at=free_at,
        blocked_until=blocked_until,
        queue=[run for run in queue if run_unit(run.run_id) in alive],
    )


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None


def _local(instant: datetime) -> str:
    return instant.astimezone().strftime("%a %d %b %H:%M")
