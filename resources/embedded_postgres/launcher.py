"""Starts, finds and stops the PostgreSQL server of one home."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

from resources import home_folder, sql_files
from resources.embedded_postgres import lease, start_lock, startup
from resources.embedded_postgres.connection import PACKAGE, accepts_connections, url
from resources.embedded_postgres.errors import EmbeddedPostgresError, system_errors
from resources.embedded_postgres.folders import make_reachable
from resources.embedded_postgres.layout import Layout, layout_of
from resources.embedded_postgres.lease import Lease

READER = "wxyc_reader"
"""The role that may read every table and write none."""

_STOP_LOCK_TIMEOUT_S = 60.0


class EmbeddedPostgres:
    """A PostgreSQL server whose data lives below ``home / "postgres"``, started on demand and left running.

    It listens on a unix socket in a folder of mode 0700 and nowhere else. It outlives the process that started it (neither
    Ctrl-C nor a hangup reaches it) and needs an explicit ``stop()``, unless a lease started it: then the last lease stops it.
    Committed data survives kill -9 of any process.

    As root the server runs as the account ``postgres``, or ``nobody`` if there is none. No existing folder is ever changed: if
    that account cannot reach home, the data lives in ``/var/lib/wxyc-postgres`` (for a home in the temporary folder: in
    ``wxyc-postgres`` there), and the symbolic link ``home/postgres/data`` points to it.
    """

    def __init__(self, home: Path) -> None:
        self._home = home.absolute()

    def dsn(self, dbname: str = "postgres") -> str:
        """Return the URL of a database on this server for its superuser ``wxyc``; the same before and after a start."""
        return url(layout_of(self._home), dbname)

    def reader_dsn(self, dbname: str) -> str:
        """Return the URL of a database for a role that may read every table and write none; the server must run.

        Any number of processes may call this at the same time. Raises psycopg.OperationalError if no server runs.
        """
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            role = sql.Identifier(READER)
            with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN IN ROLE pg_read_all_data").format(role))
        return url(layout_of(self._home), dbname, READER)

    def running(self) -> bool:
        """Return whether a connection succeeds now and reaches the server of this data directory."""
        layout = layout_of(self._home)
        return layout.has_data_entry and accepts_connections(layout)

    @property
    def layout(self) -> Layout:
        """The paths of the server's files."""
        return layout_of(self._home)

    def start(self, *, timeout_s: float = 60.0, until_unused: bool = False) -> bool:
        """Make sure that the server runs and takes connections; return whether this call started it.

        Any number of processes may call this at the same time: one starts the server, all return when it is ready. With
        ``until_unused`` the end of the last lease stops a server that this call starts. Raises EmbeddedPostgresError, with the
        end of the server's log, if it is not ready within ``timeout_s``.
        """
        if self.running():
            return False
        deadline = time.monotonic() + timeout_s
        with system_errors(f"starting in {self._home}"):
            self._prepare_home()
            layout = self.layout
            with start_lock.held(layout.lock, deadline):
                if not self.running():
                    _mark(layout, until_unused=until_unused)
                return startup.ensure_running(layout, deadline)

    @contextmanager
    def leased(self) -> Iterator[Lease]:
        """Run the server for the block. Afterwards it stops if a lease started it and no other lease is left.

        Raises EmbeddedPostgresError if the server cannot be started or stopped.
        """
        with system_errors(f"starting in {self._home}"):
            self._prepare_home()
            held = Lease(self.layout)
        try:
            self.start(until_unused=True)
            yield held
        finally:
            held.end()

    def in_use(self) -> bool:
        """Return whether a lease of this server exists."""
        if not self.layout.users.exists():
            return False
        with lease.alone(self.layout, 0.0) as unused:
            return not unused

    def stop(self) -> bool:
        """End all sessions, write all data to disk and end the server; return whether one was running."""
        layout = layout_of(self._home)
        if not layout.has_data_entry:
            return False
        deadline = time.monotonic() + _STOP_LOCK_TIMEOUT_S
        with system_errors(f"stopping in {self._home}"), start_lock.held(layout.lock, deadline):
            stopped = startup.shut_down(layout)
            _mark(layout, until_unused=False)
            return stopped

    def ensure_database(self, name: str) -> bool:
        """Make sure that the running server has this database (UTF-8, locale C.UTF-8); return whether it was created.

        Any number of processes may call this at the same time. Raises psycopg.OperationalError if no server runs.
        """
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            exists = connection.execute(sql_files.load(PACKAGE, "select_database_exists"), {"name": name}).fetchone()
            if exists == (True,):
                return False
            try:
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                return False  # another caller created it meanwhile
            return True

    def _prepare_home(self) -> None:
        """Create the folder of the server's files; raises EmbeddedPostgresError in one line if the home cannot hold them."""
        if problem := home_folder.find_problem(self._home, for_database=True):
            raise EmbeddedPostgresError(str(problem))
        make_reachable(self._home / "postgres")
        layout = self.layout
        if layout.relocated:
            make_reachable(layout.cluster)
            if problem := home_folder.storage_problem(layout.cluster, new=not layout.data.exists()):
                raise EmbeddedPostgresError(str(problem))


def _mark(layout: Layout, *, until_unused: bool) -> None:
    if until_unused:
        layout.until_unused.touch(0o600)
    else:
        layout.until_unused.unlink(missing_ok=True)
