"""Synthetic libraries, plays and billing events of any size, for tests and benchmarks, loaded in bounded memory."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import sql

from resources import sql_files

PACKAGE: Final = "wxyc_assets.sandbox"
ALBUMS_PER_ARTIST: Final = 4
_LOT_ROWS: Final = 50_000  # held in memory; a multiple of ALBUMS_PER_ARTIST, so that no artist is in two lots

# Long enough, quoted enough and foreign enough to find whoever escapes, folds or cuts names wrongly.
_FIRST_WORDS: Final = (
    "The Paper", "Los Río", "Björn", "O'Malley", 'Johnny "Hi-Hat"', "Sœur", "Żółć", "Черный", "青い", "Ahmed & the",
    "DJ", "Ύδρα", "Nacho", "\u2026And", "Back\\slash", "Ñandú", "Saint", "100%", "Dry", "Queen",
)  # fmt: skip
_SECOND_WORDS: Final = (
    "Lanterns", "Quintet", "Łódź", "& Sons", "Électrique", "Brothers", "'77", "Обзор", "太陽", "Orchestra",
    "Telephone", "of Carrboro", "Índigo", "(US)", "Machine", "Sisters, Inc.", "ﬁ", "e\u0301tude", "Static", "Thunder",
)  # fmt: skip
_TITLE_WORDS: Final = (
    "Midnight", "Volume", "Live at", "Señales", "Été", "Songs for", "100% of", "“Quoted”", "Дом", "夜明け",
    "A & B", "Don't", "Untitled", "The Long", "Static/Noise", "Blue", "Ghost", "Number", "Ætherial", "Return to",
)  # fmt: skip
_LABELS: Final = ("Merge", "Mammoth", "Alias", "Ampersand & Co.", "Tonträger Süd", None)

_STALE_AGE: Final = timedelta(days=9)
_FRESH_AGE: Final = timedelta(days=2)
_MARKER_AGE: Final = timedelta(days=10)
_NEWEST_PLAY_AGE: Final = timedelta(hours=2)

_Row = tuple[object, ...]
_Playable = tuple[int, str, str, str | None]  # library id, artist name, album title, label


def generate_libraries(
    connection: psycopg.Connection,
    count: int,
    *,
    seed: int = 0,
    first_id: int | None = None,
    canonical_share: float = 1.0,
    stale_identity_share: float = 0.0,
    fresh_identity_share: float = 0.0,
    marker_share: float = 0.0,
) -> int:
    """Add ``count`` albums with consecutive ids to the station on the connection's search_path; return how many.

    Ids start at ``first_id``, or after the last one in use; every four albums share an artist of their own. Shares are
    of all albums, each drawn apart: canonicalised; with an identity nine days old (stale) or two days old (fresh); with
    an unresolved marker ten days old. The same ``seed`` and ids give the same rows, but for their ages.

    One transaction, without triggers: no change notifications, and the watermark moves once. The role is a superuser or
    owns the tables. Raises ValueError for a share outside 0 .. 1, or when stale and fresh together exceed 1.
    """
    mix = _Mix(canonical_share, stale_identity_share, fresh_identity_share, marker_share)
    mix.validate()
    if count <= 0:
        return 0
    with _bulk_load(connection, ["artists", "library"], count):
        genres, formats = _row(connection, "generator_shelves")
        free_library_id, first_artist_id = _row(connection, "generator_first_ids")
        albums = _albums(
            count,
            first_id=free_library_id if first_id is None else first_id,
            first_artist_id=first_artist_id,
            shelves=(genres, formats),
            mix=mix,
            random=Random(f"{seed} libraries"),  # noqa: S311 - variety, not secrecy
        )
        while lot := list(islice(albums, _LOT_ROWS)):
            _copy(connection, "generator_copy_artists", {album.artist[0]: album.artist for album in lot}.values())
            _copy(connection, "generator_copy_libraries", (album.library for album in lot))
            _copy(connection, "generator_copy_identities", (album.identity for album in lot if album.identity))
        connection.execute(sql_files.load(PACKAGE, "generator_finish_libraries"))
    connection.execute(sql_files.load(PACKAGE, "generator_analyze_library"))
    return count


def generate_plays(connection: psycopg.Connection, count: int, *, seed: int = 0) -> int:
    """Add ``count`` plays that wait for their metadata, all over two hours old; return how many.

    Each is linked to an album of the station on the connection's search_path that has an artist name, in turn, so that
    the plays are spread evenly over the library. One transaction, triggers and role as in ``generate_libraries``.
    Raises ValueError if the library holds no album to play.
    """
    if count <= 0:
        return 0
    random = Random(f"{seed} plays")  # noqa: S311 - variety, not secrecy
    newest = datetime.now(UTC) - _NEWEST_PLAY_AGE
    made = 0
    with _bulk_load(connection, ["flowsheet"], count):
        for albums in _playable(connection, count):
            _copy(connection, "generator_copy_plays", _plays(albums, made, newest, random))
            made += len(albums)
        connection.execute(sql_files.load(PACKAGE, "generator_finish_plays"))
    connection.execute(sql_files.load(PACKAGE, "generator_analyze_flowsheet"))
    return made


def generate_billing_events(
    connection: psycopg.Connection,
    count: int,
    *,
    first_instant: datetime,
    hours: int,
    accounts: int,
    models: Mapping[str, str | None],
    odd_share: float = 0.0,
    seed: int = 0,
) -> int:
    """Add ``count`` events at even distances over ``hours`` hours; return how many were added.

    Each is of one of ``accounts`` triples of customer, deployment and model, drawn at random: at most so many rollups an hour.
    ``models`` has the base that events of a model name, None for none. Odd events lack an id, have a model or base that nobody
    knows, more cached than prompt tokens or no tokens, no time of their own, or came 30 hours late. The same arguments give the
    same events, and those that are there already are left alone.

    One statement, made by the server. Raises ValueError for a share outside 0 .. 1, or without accounts, hours or models.
    """
    if not 0 <= odd_share <= 1 or min(accounts, hours, len(models)) < 1:
        raise ValueError("odd_share is between 0 and 1, and there are accounts, hours and models")
    if count <= 0:
        return 0
    coming = {
        "count": count,
        "seed": seed,
        "first_instant": first_instant,
        "seconds": hours * 3600.0,
        "accounts": accounts,
        "models": list(models),
        "base_models": list(models.values()),
        "odd_share": odd_share,
    }
    with _bulk_load(connection, ["billing_event"], count):
        added = connection.execute(sql_files.load(PACKAGE, "generator_billing_events"), coming).rowcount
    connection.execute(sql_files.load(PACKAGE, "generator_analyze_billing_event"))
    return added


@dataclass(frozen=True)
class _Mix:
    """What share of the generated albums is in which state."""

    canonical: float
    stale: float
    fresh: float
    marker: float

    def validate(self) -> None:
        if not all(0 <= share <= 1 for share in (self.canonical, self.stale, self.fresh, self.marker)):
            raise ValueError("each share is between 0 and 1")
        if self.stale + self.fresh > 1:
            raise ValueError("an identity is stale or fresh: the two shares together are at most 1")


class _Album(NamedTuple):
    """One generated album as the rows that it takes."""

    artist: _Row
    library: _Row
    identity: _Row | None


def _albums(
    count: int,
    *,
    first_id: int,
    first_artist_id: int,
    shelves: tuple[Sequence[int], Sequence[int]],
    mix: _Mix,
    random: Random,
) -> Iterator[_Album]:
    now = datetime.now(UTC)
    stale_at, fresh_at, marked_at = now - _STALE_AGE, now - _FRESH_AGE, now - _MARKER_AGE
    genres, formats = shelves
    chance, choice = random.random, random.choice
    for place in range(count):
        library_id = first_id + place
        artist = _artist(first_artist_id + place // ALBUMS_PER_ARTIST)
        title = f"{choice(_TITLE_WORDS)} {choice(_TITLE_WORDS)} {library_id}"
        canonical = chance() < mix.canonical
        state = chance()
        verified_at = stale_at if state < mix.stale else fresh_at if state < mix.stale + mix.fresh else None
        library = (
            library_id,
            artist[0],
            genres[place % len(genres)],
            formats[place % len(formats)],
            title,
            _LABELS[place % len(_LABELS)],
            place % ALBUMS_PER_ARTIST + 1,
            now,
            artist[1],
            f"entity-{library_id}" if canonical else None,
            0.95 if canonical else None,
            stale_at if canonical else None,
            marked_at if chance() < mix.marker else None,
        )
        identity = (library_id, verified_at, "exact_match", 1.0, "consumer:lml-bulk") if verified_at else None
        yield _Album(artist, library, identity)


def _artist(artist_id: int) -> tuple[int, str, str, str]:
    first = _FIRST_WORDS[artist_id % len(_FIRST_WORDS)]
    second = _SECOND_WORDS[artist_id // len(_FIRST_WORDS) % len(_SECOND_WORDS)]
    name = f"{first} {second} {artist_id}"
    return artist_id, name, first[:2].upper(), name


def _playable(connection: psycopg.Connection, count: int) -> Iterator[Sequence[_Playable]]:
    """Yield ``count`` albums in lots, in the order of their ids, from the start again whenever the library ends."""
    last_id = 0
    while count > 0:
        page = {"after_id": last_id, "page_size": min(_LOT_ROWS, count)}
        albums = connection.execute(sql_files.load(PACKAGE, "generator_playable"), page).fetchall()
        if not albums and last_id == 0:
            raise ValueError("the library holds no album with an artist name: generate libraries first")
        last_id = albums[-1][0] if albums else 0
        count -= len(albums)
        if albums:
            yield albums


def _plays(albums: Sequence[_Playable], made: int, newest: datetime, random: Random) -> Iterator[_Row]:
    for place, (album_id, artist, title, label) in enumerate(albums, start=made):
        track = f"{random.choice(_TITLE_WORDS)} {place}"
        yield (album_id, track, title, artist, label, place + 1, newest - timedelta(minutes=place), "track", "pending")


@contextmanager
def _bulk_load(connection: psycopg.Connection, tables: list[str], count: int) -> Iterator[None]:
    """Open a transaction in which ``count`` rows for ``tables`` cost as little as the role may make them cost."""
    superuser = connection.info.parameter_status("is_superuser") == "on"
    with connection.transaction():
        connection.execute(sql_files.load(PACKAGE, "generator_bulk_load"))
        connection.execute(sql_files.load(PACKAGE, f"generator_{'without' if superuser else 'disable'}_triggers"))
        coming = {"tables": tables, "count": count}
        indexes = connection.execute(sql_files.load(PACKAGE, "generator_rebuilt_indexes"), coming).fetchall()
        for schema, name, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(schema, name)))
        yield
        for _, _, definition in indexes:
            connection.execute(definition.encode())
        if not superuser:
            connection.execute(sql_files.load(PACKAGE, "generator_enable_triggers"))


def _copy(connection: psycopg.Connection, name: str, rows: Iterable[_Row]) -> None:
    with connection.cursor() as cursor, cursor.copy(sql_files.load(PACKAGE, name)) as copy:
        for row in rows:
            copy.write_row(row)


def _row(connection: psycopg.Connection, name: str) -> tuple[Any, ...]:
    """Return the one row of a query that always has one."""
    return connection.execute(sql_files.load(PACKAGE, name)).fetchall()[0]
