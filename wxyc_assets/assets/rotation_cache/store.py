"""Reads whose cache is to be warmed, and what the ledger says of late."""

from datetime import timedelta
from typing import Any, Final

import psycopg

from resources import sql_files
from wxyc_assets.rotation_cache.findings import Recent

ASSET: Final = "rotation_cache"
ROLLING: Final = timedelta(hours=24)

FIRST_STALE: Final = 20
"""How many stale identities are named."""


def _execute(connection: psycopg.Connection, query: str, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets.rotation_cache", query), parameters)


def active_identities(connection: psycopg.Connection) -> list[int]:
    """Return the identities of the active rotation, each once, by ascending id."""
    return [identity_id for (identity_id,) in _execute(connection, "select_active_identities")]


def recent(connection: psycopg.Connection) -> Recent:
    """Return what the ledger knows of all refreshes of the last 24 hours."""
    (row,) = _execute(connection, "select_recent_refreshes", period=ROLLING, first=FIRST_STALE).fetchall()
    return Recent(*row)
