"""The simulated clock: one instant for a database and for this process, which only steps and waits move.

``install`` replaces PostgreSQL's clock functions in one database. Time flows there as everywhere, shifted by what was added so
far; ``now()`` stays the same throughout a transaction, even if the clock moves meanwhile. CURRENT_TIMESTAMP and its kin are no
functions and keep the server's time: no SQL of the program uses them, which a test holds.
"""

import heapq
import threading
from datetime import UTC, datetime, timedelta

import psycopg

CALL_TIMEOUT_S = 2.0
"""Real seconds after which the clock moves on although a caller that it woke has not called yet."""

CLOCK_FUNCTIONS = {
    "now": ("now", "STABLE"),
    "transaction_timestamp": ("now", "STABLE"),
    "statement_timestamp": ("statement_timestamp", "STABLE"),
    "clock_timestamp": ("clock_timestamp", "VOLATILE"),
}
"""The replaced functions: the name of PostgreSQL's own code, and how often its result may change."""


def install(connection: psycopg.Connection) -> None:
    """Replace the clock of the database of this superuser's autocommit session; ``start`` sets it."""
    connection.execute("SET allow_system_table_mods TO on")
    connection.execute("CREATE SCHEMA simulation")
    connection.execute("CREATE TABLE simulation.shift (since timestamptz PRIMARY KEY, shift interval NOT NULL)")
    # The replaced functions are inlined by the planner, which is why they have one expression each: called as they are, the
    # server would take its own code for these functions without looking.
    connection.execute(
        "CREATE FUNCTION simulation.shifted(instant timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS "
        "'SELECT instant + (SELECT s.shift FROM simulation.shift s WHERE s.since <= instant ORDER BY s.since DESC LIMIT 1)'"
    )
    for code, volatility in set(CLOCK_FUNCTIONS.values()):
        connection.execute(
            f"CREATE FUNCTION simulation.real_{code}() RETURNS timestamptz LANGUAGE internal {volatility} STRICT AS '{code}'"
        )
    for name, (code, volatility) in CLOCK_FUNCTIONS.items():
        connection.execute(
            f"CREATE OR REPLACE FUNCTION pg_catalog.{name}() RETURNS timestamptz LANGUAGE sql {volatility} AS "
            f"'SELECT simulation.shifted(simulation.real_{code}())'"
        )


def start(connection: psycopg.Connection, instant: datetime) -> None:
    """Set the clock of a database with ``install``."""
    connection.execute("DELETE FROM simulation.shift")
    connection.execute(
        "INSERT INTO simulation.shift VALUES ('-infinity', %s - simulation.real_clock_timestamp())", [instant]
    )


class SimulatedClock:
    """The clock of a database with ``install``. Thread-safe; other processes may have one on the same database.

    ``pause_s``: the next wait ends so many seconds later than it should, as in a process that was frozen.
    """

    def __init__(self, dsn: str) -> None:
        self._connection = psycopg.connect(dsn, autocommit=True, application_name="simulated clock")
        self._lock = threading.Lock()
        self._sleepers: list[datetime] = []
        self._calling: set[int] = set()
        self._woken = threading.Condition()
        self.pause_s = 0.0

    def close(self) -> None:
        self._connection.close()

    def now(self) -> datetime:
        """The simulated instant, UTC."""
        with self._lock:
            row = self._connection.execute("SELECT clock_timestamp()").fetchone()
        assert row is not None
        instant: datetime = row[0].astimezone(UTC)
        return instant

    def monotonic(self) -> float:
        """The simulated instant as seconds, as ``time.monotonic``."""
        return self.now().timestamp()

    def monotonic_ns(self) -> int:
        return round(self.monotonic() * 1e9)

    def advance(self, seconds: float) -> None:
        """Move the clock forward."""
        with self._lock, self._connection.transaction():
            self._connection.execute("LOCK TABLE simulation.shift IN SHARE ROW EXCLUSIVE MODE")
            self._connection.execute(
                "INSERT INTO simulation.shift SELECT simulation.real_clock_timestamp(), shift + %s "
                "FROM simulation.shift ORDER BY since DESC LIMIT 1",
                [timedelta(seconds=seconds)],
            )
            self._connection.execute(  # no transaction is older than a minute
                "DELETE FROM simulation.shift s WHERE EXISTS (SELECT FROM simulation.shift later WHERE later.since > s.since "
                "AND later.since < simulation.real_clock_timestamp() - interval '1 minute')"
            )

    def advance_to(self, instant: datetime) -> None:
        """Move the clock to this instant, unless it is past."""
        left_s = (instant - self.now()).total_seconds()
        if left_s > 0:
            self.advance(left_s)

    def sleep(self, seconds: float) -> None:
        """Let simulated seconds pass. Sleepers in several threads wake in the order of their instants."""
        self._sleep(seconds, calls=False)

    def wait(self, seconds: float) -> bool:
        """The wait of a client of LML before a call: the clock stands still until ``called``. Nothing closes the client."""
        self._sleep(seconds, calls=True)
        return False

    def called(self) -> None:
        """This thread has made the call that it waited for."""
        with self._woken:
            self._calling.discard(threading.get_ident())
            self._woken.notify_all()

    def _sleep(self, seconds: float, *, calls: bool) -> None:
        self.called()
        instant = self.now() + timedelta(seconds=seconds + self.pause_s)
        self.pause_s = 0.0
        with self._woken:
            heapq.heappush(self._sleepers, instant)
            self._woken.wait_for(lambda: self._sleepers[0] == instant)
            self._woken.wait_for(lambda: not self._calling, CALL_TIMEOUT_S)
            self.advance_to(instant)
            self._sleepers.remove(instant)
            heapq.heapify(self._sleepers)
            if calls:
                self._calling.add(threading.get_ident())
            self._woken.notify_all()
