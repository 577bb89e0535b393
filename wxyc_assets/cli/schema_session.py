"""A connection for commands that work with our schema and need no Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from resources.postgres import Postgres, connect_error_advice
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.database import connections
from wxyc_assets.database.revision import require_migrated


@contextmanager
def schema_session(postgres: Postgres | None = None) -> Iterator[psycopg.Connection]:
    """Yield a session on the station, or on the given database, after a check that our schema is up to date.

    Starts the embedded server if no database is configured. Raises CannotError if the database cannot be reached, or if this
    role can read no station in it; MigrationError if our schema does not exist or is not up to date.
    """
    postgres = postgres or connections.open_postgres()
    try:
        with postgres.connect() as connection:
            require_migrated(connection)
            yield connection
    except psycopg.OperationalError as error:
        raise CannotError(connect_error_advice(error, postgres)) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege) as error:
        raise CannotError(
            f"the station in {postgres.location()} cannot be read: {error.diag.message_primary}. "
            "`wxyc doctor` says what is missing"
        ) from error


def money_postgres() -> Postgres:
    """Return the database of the money tables."""
    return connections.open_postgres()


@contextmanager
def money_session() -> Iterator[psycopg.Connection]:
    """Yield a session on the database of the money tables, in one read-only transaction that sees one snapshot.

    Raises as ``schema_session`` does.
    """
    with schema_session(money_postgres()) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        with connection.transaction():
            yield connection
