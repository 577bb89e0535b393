"""Reads how the station stands from the database: our own schema, and the oldest rows of the station's tables."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from resources import sql_files
from wxyc_assets.partitions import SHARD_COUNT
from wxyc_assets.settings import IdentitySettings
from wxyc_assets.standing.rules import Past

ASKED_WITHIN = timedelta(hours=1)
"""How long the staleness sensor and its runs may take before a stale shard is late: it looks every five minutes."""

OLDEST_ROWS = {
    "library_identity": "the identity that was verified first",
    "album_metadata": "the album whose metadata was written first",
    "flowsheet_enrichment": "the play that has waited longest",
    "rotation_identity": "the release in rotation that has waited longest for an identity",
    "rated_usage": "the first hour that was billed",
}
"""Which row is the oldest of an asset; rotation_cache keeps none of the station's."""


@dataclass(frozen=True)
class Oldest:
    """The database's clock, and when the oldest row of each asset is from; None: there is no row."""

    at: datetime
    rows: Mapping[str, datetime | None]


def pasts(connection: psycopg.Connection) -> Mapping[str, Mapping[str, Past]]:
    """Return when partitions were last credited and last missed, by asset and key."""
    found: dict[str, dict[str, Past]] = defaultdict(dict)
    for asset, key, *times in _execute(connection, "select_pasts"):
        found[asset][key] = Past(*times)
    return found


def overdue_shards(connection: psycopg.Connection, settings: IdentitySettings) -> dict[str, datetime]:
    """Return the shards of library_identity that hold libraries which nobody asked about in time, and since when."""
    parameters = {
        "shard_count": SHARD_COUNT,
        "stale_after": settings.stale_after,
        "retry_after": settings.retry_after,
        "include_null_canonical": settings.include_null_canonical,
        "patience": ASKED_WITHIN,
    }
    return dict(_execute(connection, "select_overdue_shards", **parameters))


def oldest_rows(connection: psycopg.Connection) -> Oldest:
    """Return the oldest row of each asset."""
    ((at, *rows),) = _execute(connection, "select_oldest_rows")
    return Oldest(at, dict(zip(OLDEST_ROWS, rows, strict=True)))


def _execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> list[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets.standing", query), parameters).fetchall()
