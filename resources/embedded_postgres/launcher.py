"""Starts, finds and stops one PostgreSQL server that belongs to one home."""

import time
from pathlib import Path

import psycopg
from psycopg import sql

from resources import sql_files
from resources.embedded_postgres import start_lock, startup
from resources.embedded_postgres.connection import PACKAGE, answers, url
from resources.embedded_postgres.errors import system_errors
from resources.embedded_postgres.folders import make_reachable
from resources.embedded_postgres.layout import layout_of

_STOP_LOCK_TIMEOUT_S = 60.0


class EmbeddedPostgres:
    """A PostgreSQL server whose data lives below ``home / "postgres"``, started on demand and left running.

    It listens on a unix socket in a folder of mode 0700 and nowhere else. It outlives whoever started it (neither
    Ctrl-C nor a hangup reaches it) and needs an explicit ``stop()``. What was committed survives kill -9 of anything.

    As root the server runs as the account ``postgres``, else ``nobody``. No folder that was there before is ever
    changed: where that account cannot reach home, the data is kept in ``/var/lib/wxyc-postgres`` (for a home in the
    temporary folder: in ``wxyc-postgres`` there), and the symbolic link ``home/postgres/data`` says where.
    """

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()

    def dsn(self, dbname: str = "postgres") -> str:
        """Return the URL of a database on this server for its superuser ``wxyc``; the same before and after a start."""
        return url(layout_of(self._home), dbname)

    def running(self) -> bool:
        """Say whether a connection succeeds now and ends at the server of this very data directory."""
        layout = layout_of(self._home)
        return layout.recorded and answers(layout)

    def start(self, *, timeout_s: float = 60.0) -> bool:
        """Make sure that the server runs and takes connections; return whether this call started it.

        Any number of processes may call this at the same time: one starts it, all return when it is ready.
        Raises EmbeddedPostgresError, with the server's last words, if it is not ready within ``timeout_s``.
        """
        if self.running():
            return False
        deadline = time.monotonic() + timeout_s
        with system_errors(f"starting in {self._home}"):
            make_reachable(self._home / "postgres")
            layout = layout_of(self._home)
            with start_lock.held(layout.lock, deadline):
                return startup.ensure_running(layout, deadline)

    def stop(self) -> bool:
        """End all sessions, write everything out and end the server; return whether there was one to stop."""
        layout = layout_of(self._home)
        if not layout.recorded:
            return False
        deadline = time.monotonic() + _STOP_LOCK_TIMEOUT_S
        with system_errors(f"stopping in {self._home}"), start_lock.held(layout.lock, deadline):
            return startup.shut_down(layout)

    def ensure_database(self, name: str) -> bool:
        """Make sure that the running server has this database (UTF-8, locale C.UTF-8); return whether it was made.

        Any number of processes may call this at the same time. Raises psycopg.OperationalError if no server runs.
        """
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            exists = connection.execute(sql_files.load(PACKAGE, "select_database_exists"), {"name": name}).fetchone()
            if exists == (True,):
                return False
            try:
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return False  # another caller made it since we looked
            return True
