"""Explains that the station's database could not be reached, or was lost, in whatever command that happened."""

import psycopg

from resources.postgres import Postgres, connect_error_advice
from wxyc_assets.database import connections
from wxyc_assets.settings import DatabaseSettings, load

LOST = ("08", "28", "3D", "53300", "57P")
"""SQLSTATEs of a connection: broken, refused to the role, no such database, too many, server shutting down."""


def is_lost(error: psycopg.OperationalError) -> bool:
    """Say whether the connection failed, and not a statement, by a conflict, a held lock or its time limit."""
    return error.sqlstate is None or error.sqlstate.startswith(LOST)


def explained(error: Exception) -> str | None:
    """Return what to do about a connection that failed; None for any other error."""
    found = error if isinstance(error, psycopg.OperationalError) else getattr(error, "orig", None)  # of SQLAlchemy
    if not isinstance(found, psycopg.OperationalError) or not is_lost(found):
        return None
    settings = load(DatabaseSettings)
    dsn = settings.database_url.get_secret_value() if settings.database_url else ""
    return connect_error_advice(
        found, Postgres(dsn or connections.embedded(settings).dsn(connections.STATION_DATABASE))
    )
