"""Sessions for commands that work with our schema and need no Dagster."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg

from resources.postgres import Postgres, connect_error_advice
from wxyc_assets.cli.database_errors import is_lost
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.database import connections
from wxyc_assets.database.revision import require_migrated
from wxyc_assets.database.sessions import Sessions, open_sessions
from wxyc_assets.runs.bisecting_write import database_problem


@contextmanager
def schema_session(postgres: Postgres | None = None) -> Iterator[psycopg.Connection]:
    """Yield a session on the station, or on the given database, after a check that our schema is up to date.

    Starts the embedded server if no database is configured. Raises CannotError if the database cannot be reached, or if this
    role can read no station in it; MigrationError if our schema does not exist or is not up to date.
    """
    postgres = postgres or connections.open_postgres()
    with _explained(postgres), postgres.connect() as connection:
        require_migrated(connection)
        yield connection


@contextmanager
def both_sessions() -> Iterator[Sessions]:
    """Yield sessions on the station and on the database of the billing tables, which may not answer.

    Raises as ``schema_session`` does, for the station.
    """
    station = connections.open_postgres()
    with _explained(station), open_sessions(station, connections.open_billing()) as sessions:
        yield sessions


@contextmanager
def _explained(postgres: Postgres) -> Iterator[None]:
    try:
        yield
    except psycopg.OperationalError as error:
        if is_lost(error):
            raise CannotError(connect_error_advice(error, postgres)) from error
        raise CannotError(f"{postgres.location()} could not do it: {database_problem(error)}; try again") from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege) as error:
        raise CannotError(
            f"the tables in {postgres.location()} cannot be read: {error.diag.message_primary}. "
            "`wxyc doctor` says what is missing"
        ) from error


def billing_session() -> AbstractContextManager[psycopg.Connection]:
    """Return a session on the database of the billing tables; raises as ``schema_session`` does."""
    return schema_session(connections.open_billing())


@contextmanager
def billing_snapshot() -> Iterator[psycopg.Connection]:
    """Yield a session on the database of the billing tables, in one read-only transaction that sees one snapshot.

    Raises as ``schema_session`` does.
    """
    with billing_session() as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            yield connection
