"""The station's shared budget of Discogs calls: one row in PostgreSQL from which every call to LML reserves first.

The generic cell rate algorithm without a burst, on the database's clock: a reservation returns how long its caller must wait.
The row also remembers its last minute, so that calls of any cost keep the promise: at most N + 1 in any 60 seconds, over all
processes and hosts. Only a call that alone costs more than a minute of the budget exceeds it, and then no other call falls into
its minutes. The promise needs callers that are at most ``LATE_S`` late: one that is later must reserve again.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from resources import sql_files

DISCOGS = "discogs"

LATE_S = 0.5
"""How long after its reserved instant a call may start. A caller that is later reserves again."""

WINDOW_S = 60 + LATE_S
"""The minute of the promise, plus the difference with which two callers may start late."""


@dataclass(frozen=True)
class Backlog:
    """The budget is reserved for ``seconds`` (0 or more) from the instant ``at`` (database clock, UTC)."""

    at: datetime
    seconds: float


def backlog(connection: psycopg.Connection, name: str = DISCOGS) -> Backlog:
    """Return how far ahead the budget is reserved; reserves nothing. Raises psycopg.Error."""
    ((now, seconds),) = connection.execute(
        sql_files.load("resources", "select_budget_backlog"), {"name": name}
    ).fetchall()
    return Backlog(now, seconds)


class _Reservation(NamedTuple):
    """The mark and the entry by which a reservation is released, and the instant at which its calls may start."""

    mark: datetime
    entry: datetime
    start: datetime


class PostgresBudget:
    """Reserves calls at ``per_minute``. Thread-safe; opens its connection at the first reservation.

    No method waits: the caller sleeps the seconds that ``reserve`` returns, outside of any transaction.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection], *, per_minute: float, name: str = DISCOGS) -> None:
        self._connect = connect
        self._per_minute = per_minute
        self._name = name
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None
        self._closed = False
        self._thread = threading.local()

    def reserve(self, cost: float) -> float:
        """Reserve ``cost`` calls (0 or more) and return the seconds to wait before making them.

        A cost of 0 takes nothing from other callers and waits only for a block to end.
        Raises psycopg.Error if the database cannot be reached: no reservation, no call.
        """
        self._thread.last_reservation = None
        if cost > 0:
            wait_s, mark, entry = self._row("reserve_budget", cost=cost, per_minute=self._per_minute, window_s=WINDOW_S)
            start = mark - timedelta(seconds=cost * 60 / self._per_minute)
            self._thread.last_reservation = _Reservation(mark, entry, start)
            return float(wait_s)
        return float(self._row("select_budget_state")[0])

    def check(self) -> tuple[float, float]:
        """Return the seconds until a block ends, and those since the start of this thread's last reservation (database clock).

        Both are 0 or more; the second is 0 without a reservation. Raises psycopg.Error.
        """
        block_s, now = self._row("select_budget_state")
        last = getattr(self._thread, "last_reservation", None)
        return float(block_s), max(0.0, (now - last.start).total_seconds()) if last else 0.0

    def block(self, seconds: float) -> None:
        """Let no caller call for this long from now, because the service asked for it."""
        self._row("block_budget", seconds=seconds)

    def settle(self, reserved: float, used: float) -> None:
        """Correct the last reservation of this thread once its call is over.

        Calls beyond the reservation are reserved now. Unused calls no longer count in their minute, and their time is free
        again unless a later reservation exists.
        """
        if used > reserved:
            self.reserve(used - reserved)
        elif used < reserved and (last := getattr(self._thread, "last_reservation", None)):
            unused = reserved - used
            self._execute(
                "release_budget", unused=unused, per_minute=self._per_minute, mark=last.mark, entry=last.entry
            )
            self._thread.last_reservation = None

    def close(self) -> None:
        """Close the connection for good: a call in an abandoned thread must not open another."""
        with self._lock:
            self._closed = True
            if self._connection:
                self._connection.close()
                self._connection = None

    def _row(self, query: str, **parameters: object) -> tuple[Any, ...]:
        row = self._execute(query, **parameters)
        if row is None:
            raise psycopg.DataError(f"wxyc_assets.budget has no row {self._name}: run `wxyc migrate`")
        return row

    def _execute(self, query: str, **parameters: object) -> tuple[Any, ...] | None:
        with self._lock:
            if self._closed:
                raise psycopg.OperationalError("this budget is closed; open another")
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
                # A crash that loses a reservation costs at most that reservation's wait; a sync for each costs milliseconds.
                self._connection.execute("SET synchronous_commit TO off")
            cursor = self._connection.execute(sql_files.load("resources", query), {"name": self._name, **parameters})
            return cursor.fetchone() if cursor.description else None
