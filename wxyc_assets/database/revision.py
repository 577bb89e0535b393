"""The revision of our own schema, and whether it is the one that this code needs."""

import psycopg

from resources import sql_files
from wxyc_assets.database.migrations import HEAD

SCHEMA = "wxyc_assets"


class MigrationError(Exception):
    """The schema cannot be created or used; the message says what to do."""


def require_migrated(connection: psycopg.Connection) -> None:
    """Raise MigrationError unless the schema is at the revision that this code needs."""
    found = stored_revision(connection)
    if found == HEAD:
        return
    state = "does not exist yet" if found is None else f"is at revision {found}, this program needs {HEAD}"
    raise MigrationError(f"our schema {SCHEMA} {state}: run `wxyc migrate`")


def stored_revision(connection: psycopg.Connection) -> str | None:
    """Return the revision of the schema; None if the schema does not exist."""
    if connection.execute("SELECT to_regclass('wxyc_assets.alembic_version')").fetchone() == (None,):
        return None
    row = connection.execute(sql_files.load("wxyc_assets.database", "select_revision")).fetchone()
    return str(row[0]) if row else None
