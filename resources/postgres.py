"""The station's PostgreSQL: its location, and the settings of its sessions."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from resources.guarded_connection import Guard, GuardedConnection
from resources.own_sessions import PoolerError, require_own_sessions

KEEPALIVES: dict[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""Parameters of libpq, in seconds but for the last: a connection whose other end is gone fails within a minute. Without them a
firewall forgets a session that idles through a long call, and the next statement hangs for a quarter of an hour."""


@dataclass(frozen=True)
class Postgres:
    """Opens sessions on one database.

    Sessions are pinned to UTC, to the given ``search_path`` and to ``statement_timeout_ms``, so that a stuck query fails
    the run instead of holding it. ``application_name`` (63 bytes at most) is shown in ``pg_stat_activity``. ``guard`` is called
    before each statement and each commit. What the DSN says of keepalives holds. ``setting`` is the variable that names the
    database, for messages.
    """

    dsn: str = field(repr=False)  # may hold a password
    schemas: tuple[str, ...] = ("wxyc_schema", "public")
    statement_timeout_ms: int = 60_000
    application_name: str = "wxyc_assets"
    connect_timeout_s: int = 10
    guard: Guard | None = field(default=None, repr=False, compare=False)
    setting: str = "DATABASE_URL"

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """Yield an autocommit session; code that writes opens its own ``connection.transaction()``.

        Raises psycopg.OperationalError if the database cannot be reached.
        """
        connection = self.open()
        try:
            yield connection
        finally:
            connection.close()

    def open(self) -> psycopg.Connection:
        """Return an autocommit session that the caller closes.

        Raises psycopg.OperationalError if the database cannot be reached; PoolerError, which is one, behind a pooler in
        transaction mode.
        """
        require_own_sessions(self.dsn, connect_timeout=self.connect_timeout_s, **keepalives(self.dsn))
        connection = self._connect()
        if self.guard:
            connection.guard = self.guard
        # The flags of a page query are parameters: a generic plan would not know which half of an OR is dead. (Not with
        # plan_cache_mode: that would also plan anew each foreign-key check of an insert, which costs more than the check.)
        connection.prepare_threshold = None
        try:
            path = sql.SQL(", ").join(map(sql.Identifier, self.schemas))
            connection.execute(sql.SQL("SET search_path TO {}").format(path))
            connection.execute("SET timezone TO 'UTC'")
            connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(self.statement_timeout_ms)])
            # The queries are few large set operations: work_mem to hash a million ids, and no JIT compilation.
            connection.execute("SET work_mem TO '64MB'")
            connection.execute("SET jit TO off")
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect(self) -> GuardedConnection:
        return GuardedConnection.connect(
            self.dsn,
            autocommit=True,
            connect_timeout=self.connect_timeout_s,
            application_name=self.application_name,
            **keepalives(self.dsn),
        )

    def location(self) -> str:
        """Return database, host and port without the password, for messages."""
        parts = conninfo_to_dict(self.dsn)
        return f"{parts.get('dbname', '?')} at {parts.get('host') or 'localhost'}:{parts.get('port') or 5432}"


def keepalives(dsn: str) -> dict[str, Any]:
    """Return the keepalive parameters that a DSN does not set itself."""
    return {name: value for name, value in KEEPALIVES.items() if name not in conninfo_to_dict(dsn)}


def connect_error_advice(error: psycopg.OperationalError, postgres: Postgres) -> str:
    """Return a message for a refused connection that says what to do next."""
    if isinstance(error, PoolerError):
        return str(error)
    return (
        f"the database {postgres.location()} cannot be reached: {connect_error_reason(error)}. "
        f"Start it (`wxyc up` starts the embedded one), or correct {postgres.setting}; `wxyc doctor` checks both."
    )


def connect_error_reason(error: psycopg.OperationalError) -> str:
    """Return why a connection was refused, without the address, which libpq repeats before it, and the hint behind it."""
    lines = [line for line in str(error).splitlines() if line.strip() and not line.startswith("\t")]
    return lines[-1].rpartition(" failed: ")[2].strip().rstrip(".") if lines else type(error).__name__
