"""Reads the identities whose cache is to be warmed, and the recent counts in the ledger."""

from datetime import timedelta
from typing import Any, Final

import psycopg

from resources import sql_files
from wxyc_assets.assets.rotation_cache.checks import RecentRefreshes

ASSET: Final = "rotation_cache"
RECENT: Final = timedelta(hours=24)

MAX_STALE_IDS: Final = 20
"""How many of the identities that LML does not know are named."""


def _execute(connection: psycopg.Connection, query: str, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets.assets.rotation_cache", query), parameters)


def active_identities(connection: psycopg.Connection) -> list[int]:
    """Return the distinct identities of the active rotation, by ascending id."""
    return [identity_id for (identity_id,) in _execute(connection, "select_active_identities")]


def recent_refreshes(connection: psycopg.Connection) -> RecentRefreshes:
    """Return the ledger's counts of all refreshes of the last 24 hours."""
    (row,) = _execute(connection, "select_recent_refreshes", period=RECENT, max_ids=MAX_STALE_IDS).fetchall()
    return RecentRefreshes(*row)
