"""Loads the sample station: real albums from the catalogue's files, with derived plays, rotation and billing events."""

from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import Final

import psycopg

from resources import sql_files

PACKAGE: Final = "wxyc_assets.sandbox"

SAMPLE_PRICES: Final = Path(__file__).parent / "catalogue" / "prices.yaml"
"""The price file of the sample station; the prices are invented."""

_CATALOGUE_FILES: Final = ("albums", "compilation_tracks", "shows", "accounts")
# In the order of their foreign keys.
_INSERTS: Final = (
    "sample_genres",
    "sample_formats",
    "sample_artists",
    "sample_library",
    "sample_compilation_tracks",
    "sample_identity",
    "sample_identity_source",
    "sample_rotation",
    "sample_shows",
    "sample_plays",
    "sample_album_metadata",
    "sample_other_entries",
    "sample_billing_events",
)


def load(connection: psycopg.Connection, *, anchor: datetime) -> None:
    """Fill an empty station in the caller's transaction, whose search_path has the station's schemas.

    All ages count back from ``anchor`` (with a time zone): plays end at least two hours before it, billing events fill
    the UTC day before its day, identities are two and nine days old, unresolved markers ten and 31. Everything else is
    the same in all sample stations. Albums have the ids of ``catalogue/albums.csv``.
    """
    connection.execute(sql_files.load(PACKAGE, "sample_staging"))
    for name in _CATALOGUE_FILES:
        content = (files(PACKAGE) / "catalogue" / f"{name}.csv").read_bytes()
        with connection.cursor().copy(sql_files.load(PACKAGE, f"sample_copy_{name}")) as copy:
            copy.write(content)
    for name in _INSERTS:
        connection.execute(sql_files.load(PACKAGE, name), {"anchor": anchor})
    connection.execute(sql_files.load(PACKAGE, "sample_advance_library_id"))
    connection.execute(sql_files.load(PACKAGE, "sample_drop_random"))
