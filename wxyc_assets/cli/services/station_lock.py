"""One ``wxyc up`` a station: a session lock in the station's database, whatever home and host it runs on."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.runs.advisory_locks import Locks, lock_session

UNIT = "up"
LOOK_EVERY_S = 2.0
TAKE_WAIT_S = 5.0
"""How long PostgreSQL may take to notice that an earlier ``wxyc up`` on this machine was killed."""


class StationLock:
    """The lock of this ``wxyc up``. Its session dies with the process; after a lost connection ``look`` takes it again."""

    def __init__(self, postgres: Postgres, home: Path) -> None:
        self._postgres = postgres
        self._name = f"wxyc up {os.getpid()} on {socket.gethostname()}, {home}"
        self._session: psycopg.Connection | None = None
        self._looked_at = 0.0
        self.holds_services = False

    def take(self) -> None:
        """Take the lock. Raises CannotError, which names the holder, if another ``wxyc up`` has it."""
        session = lock_session(self._postgres, self._name)
        try:
            refusals = Locks(session).take([UNIT], TAKE_WAIT_S)
        except BaseException:
            session.close()
            raise
        if refusals:
            session.close()
            raise CannotError(
                f"`wxyc up` already runs on this station: {refusals[0].holder}. Two of them would run each schedule twice. Use "
                "that one, or stop it first; `wxyc up` on a sandbox of its own needs another DATABASE_URL"
            )
        self._session = session

    def look(self, *, at_once: bool = False) -> None:
        """Prove every two seconds that the lock is held, and take it again after a lost connection.

        Raises CannotError if another ``wxyc up`` took it meanwhile. A database that does not answer is waited for.
        """
        now = time.monotonic()
        if not at_once and now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        try:
            if self._session is None:
                self.take()
            else:
                self._session.execute("SELECT 1")
        except psycopg.OperationalError:
            self.release()

    def release(self) -> None:
        """End the session, and with it the lock."""
        if self._session is not None:
            self._session.close()
            self._session = None


@contextmanager
def held(postgres: Postgres, home: Path) -> Iterator[StationLock]:
    """Be the one ``wxyc up`` of this station for the block. The caller must ``look`` at the lock now and then.

    Raises CannotError, which names the other one, if it runs.
    """
    lock = StationLock(postgres, home)
    lock.take()
    try:
        yield lock
    finally:
        lock.release()


def find(connection: psycopg.Connection) -> str | None:
    """Return the ``wxyc up`` that runs on the station of this connection."""
    row = connection.execute(sql_files.load("wxyc_assets.runs", "select_lock_holder"), {"unit": UNIT}).fetchone()
    return str(row[0]) if row else None
