"""Adds libraries to a station, one at a time, in the state that a test needs."""

from datetime import timedelta
from typing import Any

import psycopg


def add_library(
    connection: psycopg.Connection,
    library_id: int,
    *,
    artist_name: str | None = "Chuquimamani-Condori",
    canonical: bool = True,
    letters: str | None = None,
    verified: timedelta | None = None,
    marked: timedelta | None = None,
) -> None:
    """Add a library; ``verified`` and ``marked`` are the ages of its identity and of its marker, None for neither."""
    shelf = connection.execute("SELECT a.id, g.id, f.id FROM artists a, genres g, format f LIMIT 1").fetchone()
    connection.execute(
        "INSERT INTO library (id, artist_id, genre_id, format_id, album_title, code_number, code_volume_letters, artist_name, "
        "canonical_entity_id, unresolved_attempted_at) "
        "VALUES (%s, %s, %s, %s, 'Edits', 1, %s, %s, %s, now() - %s::interval)",
        [library_id, *(shelf or _shelf(connection)), letters, artist_name, "entity" if canonical else None, marked],
    )
    if verified is not None:
        verify(connection, library_id, verified)


def verify(connection: psycopg.Connection, library_id: int, age: timedelta = timedelta(0)) -> None:
    """Give a library an identity of that age."""
    connection.execute(
        "INSERT INTO library_identity (library_id, last_verified_at, method, confidence) "
        "VALUES (%s, now() - %s::interval, 'exact_match', 1) "
        "ON CONFLICT (library_id) DO UPDATE SET last_verified_at = EXCLUDED.last_verified_at",
        [library_id, age],
    )


def _shelf(connection: psycopg.Connection) -> tuple[Any, ...]:
    made = connection.execute(
        "WITH a AS (INSERT INTO artists (artist_name, code_letters, alphabetical_name) VALUES ('C', 'CH', 'C') RETURNING id), "
        "g AS (INSERT INTO genres (genre_name) VALUES ('Electronic') RETURNING id), "
        "f AS (INSERT INTO format (format_name) VALUES ('lp') RETURNING id) "
        "SELECT a.id, g.id, f.id FROM a, g, f"
    ).fetchone()
    assert made is not None
    return made
