"""Session advisory locks: two runs never process the same unit at once, and a lock ends with its run, also under kill -9."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import psycopg

from resources import sql_files
from resources.postgres import Postgres

UNIT_WAIT_S = 60.0
"""How long a run waits in all for the units that other runs hold, before it refuses."""


@dataclass(frozen=True)
class Refusal:
    """A unit that another run holds."""

    unit: str
    holder: str

    def __str__(self) -> str:
        """Name the unit and its holder."""
        return f"{self.unit} is being worked on by {self.holder}"


class Locks:
    """The advisory locks of one session; ``held`` are the units that it has locked and not released."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.held: set[str] = set()

    def take(
        self, units: Sequence[str], wait_s: float = UNIT_WAIT_S, on_wait: Callable[[Refusal], None] | None = None
    ) -> list[Refusal]:
        """Lock every unit, waiting ``wait_s`` in all, and return those that other runs still hold.

        Units are locked in the given order. Callers pass them in one fixed order, so that two runs cannot deadlock.
        ``on_wait`` is called for each unit that is not free at once, before the wait for it.
        """
        deadline = time.monotonic() + wait_s
        refusals = []
        for unit in units:
            refusal = self._take_one(unit, 0)
            if refusal and (left_s := deadline - time.monotonic()) > 0:
                if on_wait:
                    on_wait(refusal)
                refusal = self._take_one(unit, left_s)
            if refusal:
                refusals.append(refusal)
        return refusals

    def release(self, unit: str) -> None:
        """Release one unit before the run ends, so that a run over many units need not hold all of them at once."""
        self._execute("release_lock", unit=unit)
        self.held.discard(unit)

    def _take_one(self, unit: str, wait_s: float) -> Refusal | None:
        # A lock_timeout of 0 would wait for ever.
        self._execute("set_lock_timeout", wait_ms=max(1, int(wait_s * 1000)))
        try:
            self._execute("take_lock", unit=unit)
        except psycopg.errors.LockNotAvailable:
            row = self._execute("select_lock_holder", unit=unit).fetchone()
            return Refusal(unit, str(row[0]) if row else "a run that has just ended; try again")
        self.held.add(unit)
        return None

    def _execute(self, name: str, **parameters: object) -> psycopg.Cursor[tuple[object, ...]]:
        return self.connection.execute(sql_files.load("wxyc_assets.runs", name), parameters)


def lock_session(postgres: Postgres, name: str) -> psycopg.Connection:
    """Return a session for locks, which the caller closes; ``name`` (63 bytes count) is shown to those that are refused."""
    session = replace(postgres, application_name=name, statement_timeout_ms=0).open()
    try:
        # The session is idle while its process works; a server that ends idle sessions would release its locks.
        session.execute("SET idle_session_timeout TO 0")
        # A server that lost this host asks it twice and releases the locks within a minute, not after two hours.
        session.execute(
            "SET tcp_keepalives_idle TO 30; SET tcp_keepalives_interval TO 10; SET tcp_keepalives_count TO 3"
        )
    except BaseException:
        session.close()
        raise
    return session


@contextmanager
def run_locks(postgres: Postgres, run_id: str) -> Iterator[Locks]:
    """Open the connection that holds a run's locks, and lock the run's own id first.

    Its ``application_name`` names the run to other runs that are refused. A pooler in between must pool by session.
    """
    with closing(lock_session(postgres, f"wxyc_assets run {run_id}")) as connection:
        locks = Locks(connection)
        locks.take([run_unit(run_id)])
        yield locks


def run_unit(run_id: str) -> str:
    """Return the unit that a run holds from its start to its end."""
    return f"run/{run_id}"


def held_units(connection: psycopg.Connection, units: Sequence[str]) -> set[str]:
    """Return the units among these that any session holds now."""
    rows = connection.execute(sql_files.load("wxyc_assets.runs", "select_held_units"), {"units": list(units)})
    return {str(row[0]) for row in rows}


def unit(asset: str, partition: int | str) -> str:
    """Return the unit that a run holds while it processes a partition of an asset."""
    return f"{asset}/{partition}"
