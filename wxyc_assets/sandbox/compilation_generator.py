"""Synthetic compilations with track credits, of any number, for tests and benchmarks."""

from datetime import UTC, datetime
from random import Random
from typing import Final

import psycopg

from resources import sql_files
from wxyc_assets.sandbox.bulk_load import PACKAGE, Row, bulk_load, copy_rows, one_row
from wxyc_assets.sandbox.compilations import card_credits, compilation_title, pool_names
from wxyc_assets.sandbox.names import TITLE_WORDS

_ARTIST: Final = "Various Artists"


def generate_compilations(
    connection: psycopg.Connection, count: int, *, credits_each: int = 56, seed: int = 0, first_id: int | None = None
) -> int:
    """Add ``count`` compilations with consecutive ids and ``credits_each`` track credits; return the count.

    Ids start at ``first_id``, or after the largest one in use. No credit is linked but those of a librarian. A sandbox LML that
    sends tracks knows all of them. The catalogue gets most of their artists, a tenth of them twice. The same ``seed``
    and ids give the same rows except ages.

    One transaction, without triggers. The role must be a superuser or own the tables.
    """
    if count <= 0:
        return 0
    random = Random(f"{seed} compilations")  # noqa: S311 - variety, not secrecy
    now = datetime.now(UTC)
    with bulk_load(connection, ["artists", "library", "compilation_track_artist"], count * credits_each):
        genre_ids, format_ids = one_row(connection, "generator_genres_and_formats")
        names = [_ARTIST, *pool_names()]
        connection.execute(sql_files.load(PACKAGE, "generator_missing_artists"), {"names": names})
        ((artist_id,),) = connection.execute(
            sql_files.load(PACKAGE, "generator_artist_id"), {"name": _ARTIST}
        ).fetchall()
        free_id, _ = one_row(connection, "generator_next_ids")
        ids = range(free_id if first_id is None else first_id, (free_id if first_id is None else first_id) + count)
        titles = {
            library_id: compilation_title(
                f"{random.choice(TITLE_WORDS)} {random.choice(TITLE_WORDS)}", library_id, credits_each
            )
            for library_id in ids
        }
        copy_rows(
            connection,
            "generator_copy_libraries",
            (_library(one, title, artist_id, genre_ids[0], format_ids[0], now) for one, title in titles.items()),
        )
        copy_rows(
            connection,
            "generator_copy_track_credits",
            (row for library_id, title in titles.items() for row in _credits(library_id, title)),
        )
        connection.execute(sql_files.load(PACKAGE, "generator_advance_library_ids"))
    connection.execute(sql_files.load(PACKAGE, "generator_analyze_track_credits"))
    return count


def _library(library_id: int, title: str, artist_id: int, genre_id: int, format_id: int, now: datetime) -> Row:
    letters = f"Z{chr(ord('A') + library_id % 26)}"
    entity = (f"entity-{library_id}", 0.95, now)
    return (library_id, artist_id, genre_id, format_id, title, None, 1, now, _ARTIST, *entity, None, letters)


def _credits(library_id: int, title: str) -> list[Row]:
    return [
        (
            library_id,
            credit.artist_name,
            credit.track_title,
            credit.position,
            *((1.0, "librarian") if credit.by_librarian else (None, None)),
        )
        for credit in card_credits(title)
    ]
