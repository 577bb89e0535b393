"""A connection for commands that only read what our schema says."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from resources.postgres import connect_error_advice
from wxyc_assets import databases
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.revision import require_migrated


@contextmanager
def reading() -> Iterator[psycopg.Connection]:
    """Yield a session on the station with our schema in it; starts the embedded server if none is configured.

    Raises CannotError if the database cannot be reached, or has no station in it that this role may read; MigrationError if our
    schema is not there.
    """
    postgres = databases.open_postgres()
    try:
        with postgres.connect() as connection:
            require_migrated(connection)
            yield connection
    except psycopg.OperationalError as error:
        raise CannotError(connect_error_advice(error, postgres)) from error
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege) as error:
        raise CannotError(
            f"the station in {postgres.where()} cannot be read: {error.diag.message_primary}. "
            "`wxyc doctor` says what is missing"
        ) from error
