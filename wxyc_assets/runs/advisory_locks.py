"""Two runs never do the same work at once: session advisory locks, which die with their run, also under kill -9."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg

from resources import sql_files
from resources.postgres import Postgres

UNIT_WAIT_S = 60.0
"""How long a run waits for units that others hold, all of them together, before it refuses."""


@dataclass(frozen=True)
class Refusal:
    """A unit that somebody else kept holding."""

    unit: str
    holder: str

    def __str__(self) -> str:
        """Name the unit and its holder."""
        return f"{self.unit} is being worked on by {self.holder}"


class Locks:
    """The advisory locks of one run, on a connection of its own."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def take(
        self, units: Sequence[str], wait_s: float = UNIT_WAIT_S, on_wait: Callable[[Refusal], None] | None = None
    ) -> list[Refusal]:
        """Take every unit, waiting ``wait_s`` in all, and return those that stayed with somebody else.

        Units are taken in the given order; callers give them in one fixed order, so that two runs cannot deadlock.
        ``on_wait`` is told of each unit that is not to be had at once, before the wait for it.
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
        """Let go of one unit before the run ends, so that a run over many need not hold them all at once."""
        self._execute("release_lock", unit=unit)

    def _take_one(self, unit: str, wait_s: float) -> Refusal | None:
        # lock_timeout 0 would mean for ever.
        self._execute("set_lock_timeout", wait_ms=max(1, int(wait_s * 1000)))
        try:
            self._execute("take_lock", unit=unit)
        except psycopg.errors.LockNotAvailable:
            row = self._execute("select_lock_holder", unit=unit).fetchone()
            return Refusal(unit, str(row[0]) if row else "a run that has just let go; try again")
        return None

    def _execute(self, name: str, **parameters: object) -> psycopg.Cursor[tuple[object, ...]]:
        return self._connection.execute(sql_files.load("wxyc_assets", name), parameters)


@contextmanager
def run_locks(postgres: Postgres, run_id: str) -> Iterator[Locks]:
    """Open the connection that holds a run's locks, first of all the lock on its own run id.

    Its ``application_name`` names the run to whoever is refused. Needs session pooling if there is a pooler in between.
    """
    session = replace(postgres, application_name=f"wxyc_assets run {run_id}", statement_timeout_ms=0)
    with session.connect() as connection:
        # It says nothing for as long as the run works; a server that ends idle sessions would let go of its locks.
        connection.execute("SET idle_session_timeout TO 0")
        locks = Locks(connection)
        locks.take([run_unit(run_id)])
        yield locks


def run_unit(run_id: str) -> str:
    """Return the unit that a run holds for as long as it lives."""
    return f"run/{run_id}"


def held_units(connection: psycopg.Connection, units: Sequence[str]) -> set[str]:
    """Return those of the units that somebody holds now."""
    rows = connection.execute(sql_files.load("wxyc_assets", "select_held_units"), {"units": list(units)})
    return {str(row[0]) for row in rows}


def unit(asset: str, partition: int | str) -> str:
    """Return the unit that a run holds while it works on a partition of an asset."""
    return f"{asset}/{partition}"
