"""The station's PostgreSQL: where it is, and how a session on it behaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict


@dataclass(frozen=True)
class Postgres:
    """Hands out sessions on one database.

    Sessions are pinned to UTC, to the given ``search_path`` and to ``statement_timeout_ms``, so that a stuck query fails
    the run instead of holding it. ``application_name`` (63 bytes at most) is what a colleague sees in ``pg_stat_activity``.
    """

    dsn: str = field(repr=False)  # may hold a password
    schemas: tuple[str, ...] = ("wxyc_schema", "public")
    statement_timeout_ms: int = 60_000
    application_name: str = "wxyc_assets"
    connect_timeout_s: int = 10

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """Yield an autocommit session; whoever writes opens its own ``connection.transaction()``.

        Raises psycopg.OperationalError if the database cannot be reached.
        """
        connection = self.open()
        try:
            yield connection
        finally:
            connection.close()

    def open(self) -> psycopg.Connection:
        """Return an autocommit session that the caller closes."""
        connection = psycopg.connect(
            self.dsn, autocommit=True, connect_timeout=self.connect_timeout_s, application_name=self.application_name
        )
        # The flags of a page query are parameters: a generic plan would not know which half of an OR is dead. (Not by
        # plan_cache_mode: that would also plan anew each foreign-key check of an insert, which costs more than the check.)
        connection.prepare_threshold = None
        try:
            path = sql.SQL(", ").join(map(sql.Identifier, self.schemas))
            connection.execute(sql.SQL("SET search_path TO {}").format(path))
            connection.execute("SET timezone TO 'UTC'")
            connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(self.statement_timeout_ms)])
            # A few large set operations, not many small queries: room to hash a million ids, and no compiler warming up.
            connection.execute("SET work_mem TO '64MB'")
            connection.execute("SET jit TO off")
        except BaseException:
            connection.close()
            raise
        return connection

    def where(self) -> str:
        """Say which database this is, without a password: for messages to a person."""
        parts = conninfo_to_dict(self.dsn)
        return f"{parts.get('dbname', '?')} at {parts.get('host') or 'localhost'}:{parts.get('port') or 5432}"


def connect_error_advice(error: psycopg.OperationalError, postgres: Postgres) -> str:
    """Turn a refused connection into a sentence that says what to do next."""
    reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
    return (
        f"the database {postgres.where()} cannot be reached: {reason}. "
        "Start it (`wxyc up` starts the embedded one), or correct DATABASE_URL; `wxyc doctor` checks both."
    )
