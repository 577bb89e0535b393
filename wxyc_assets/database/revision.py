"""The revision that our own schema is at, and whether it is the one that this code works with."""

import psycopg

from resources import sql_files
from wxyc_assets.migrations import HEAD

SCHEMA = "wxyc_assets"


class MigrationError(Exception):
    """The schema cannot be made or used as it is; the message says what to do."""


def require_migrated(connection: psycopg.Connection) -> None:
    """Raise MigrationError unless the schema is at the revision that this code works with."""
    found = stored_revision(connection)
    if found == HEAD:
        return
    state = "does not exist yet" if found is None else f"is at revision {found}, this program needs {HEAD}"
    raise MigrationError(f"our schema {SCHEMA} {state}: run `wxyc migrate`")


def stored_revision(connection: psycopg.Connection) -> str | None:
    """Return the revision that the schema is at; None: it is not there."""
    if connection.execute("SELECT to_regclass('wxyc_assets.alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute(sql_files.load("wxyc_assets", "select_revision")).fetchone()
    return str(row[0]) if row else None
