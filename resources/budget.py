"""The station-wide budget of Discogs calls: one row in PostgreSQL that every call to LML reserves from first.

The generic cell rate algorithm without a burst, on the database's clock: whoever reserves is told how long to wait. Beside it
the row remembers its last minute, so that calls of any cost keep the promise: at most N + 1 in any 60 seconds, over all
processes and hosts. Only a call that alone costs more than a minute of the budget exceeds it, and then stands alone.
"""

import threading
from collections.abc import Callable
from typing import Any

import psycopg

from resources import sql_files

DISCOGS = "discogs"

WINDOW_S = 60.05
"""The minute of the promise, and what two callers may differ in waking late."""


class PostgresBudget:
    """Reserves calls at ``per_minute``. Thread-safe; opens its connection at the first reservation.

    Nothing waits in here: the caller sleeps what it is told, outside of any transaction.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection], *, per_minute: float, name: str = DISCOGS) -> None:
        self._connect = connect
        self._per_minute = per_minute
        self._name = name
        self._lock = threading.Lock()
        self._connection: psycopg.Connection | None = None
        self._closed = False
        self._mine = threading.local()

    def reserve(self, cost: float) -> float:
        """Take ``cost`` calls (0 or more) and return after how many seconds they may be made.

        A cost of 0 takes nothing from others and waits only while the service asked everybody to stay away.
        Raises psycopg.Error if the database cannot be asked: no reservation, no call.
        """
        if cost > 0:
            seconds, *self._mine.of_this_thread = self._row(
                "reserve_budget", cost=cost, per_minute=self._per_minute, window_s=WINDOW_S
            )
            return float(seconds)
        return float(self._row("select_budget_block")[0])

    def penalise(self, seconds: float) -> None:
        """Let nobody call for so long from now: the service asked for it."""
        self._row("block_budget", seconds=seconds)

    def settle(self, reserved: float, used: float) -> None:
        """Correct the last reservation of this thread once its call is over.

        What was used beyond it is booked. What was not used no longer counts in its minute, and its place is given back unless
        anything was reserved behind it.
        """
        if used > reserved:
            self.reserve(used - reserved)
        elif used < reserved and (mine := getattr(self._mine, "of_this_thread", None)):
            mark, entry = mine
            self._execute(
                "give_back_budget", unused=reserved - used, per_minute=self._per_minute, mark=mark, entry=entry
            )
            self._mine.of_this_thread = None

    def close(self) -> None:
        """Close the connection for good: a call that somebody left behind must not open another."""
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
                # A reservation that a crash forgets costs at most its own wait; a sync for each would cost milliseconds.
                self._connection.execute("SET synchronous_commit TO off")
            cursor = self._connection.execute(sql_files.load("resources", query), {"name": self._name, **parameters})
            return cursor.fetchone() if cursor.description else None
