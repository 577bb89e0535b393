"""Synthetic libraries, plays and billing events of any size, for tests and benchmarks, loaded in bounded memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from typing import Final, NamedTuple

import psycopg

from resources import sql_files
from wxyc_assets.sandbox.bulk_load import PACKAGE, Row, bulk_load, copy_rows, one_row
from wxyc_assets.sandbox.names import TITLE_WORDS, artist_name

ALBUMS_PER_ARTIST: Final = 4
_BATCH_ROWS: Final = 50_000  # rows in memory; a multiple of ALBUMS_PER_ARTIST, so that no artist is in two batches

_LABELS: Final = ("Merge", "Mammoth", "Alias", "Ampersand & Co.", "Tonträger Süd", None)

_STALE_AGE: Final = timedelta(days=9)
_FRESH_AGE: Final = timedelta(days=2)
_MARKER_AGE: Final = timedelta(days=10)
_NEWEST_PLAY_AGE: Final = timedelta(hours=2)

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
    """Add ``count`` albums with consecutive ids to the station on the connection's search_path; return the count.

    Ids start at ``first_id``, or after the largest one in use; every four albums have an artist of their own. Each share
    is a share of all albums, and the shares are independent: canonicalised; with an identity nine days old (stale) or two
    days old (fresh); with an unresolved marker ten days old. The same ``seed`` and ids give the same rows except ages.

    One transaction, without triggers: no change notifications, and the watermark moves once. The role must be a superuser
    or own the tables. Raises ValueError for a share outside 0 .. 1, or if stale and fresh together exceed 1.
    """
    shares = _Shares(canonical_share, stale_identity_share, fresh_identity_share, marker_share)
    shares.validate()
    if count <= 0:
        return 0
    with bulk_load(connection, ["artists", "library"], count):
        genre_ids, format_ids = one_row(connection, "generator_genres_and_formats")
        free_library_id, first_artist_id = one_row(connection, "generator_next_ids")
        albums = _albums(
            count,
            first_id=free_library_id if first_id is None else first_id,
            first_artist_id=first_artist_id,
            genre_ids=genre_ids,
            format_ids=format_ids,
            shares=shares,
            random=Random(f"{seed} libraries"),  # noqa: S311 - variety, not secrecy
        )
        while batch := list(islice(albums, _BATCH_ROWS)):
            copy_rows(connection, "generator_copy_artists", {album.artist[0]: album.artist for album in batch}.values())
            copy_rows(connection, "generator_copy_libraries", (album.library for album in batch))
            copy_rows(connection, "generator_copy_identities", (album.identity for album in batch if album.identity))
        connection.execute(sql_files.load(PACKAGE, "generator_advance_library_ids"))
    connection.execute(sql_files.load(PACKAGE, "generator_analyze_library"))
    return count


def generate_plays(connection: psycopg.Connection, count: int, *, seed: int = 0) -> int:
    """Add ``count`` plays with pending metadata, all more than two hours old; return the count.

    The plays go in turn to the albums of the station on the connection's search_path that have an artist name, so that
    they spread evenly over the library. One transaction; triggers and role as in ``generate_libraries``.
    Raises ValueError if the library has no such album.
    """
    if count <= 0:
        return 0
    random = Random(f"{seed} plays")  # noqa: S311 - variety, not secrecy
    newest = datetime.now(UTC) - _NEWEST_PLAY_AGE
    added = 0
    with bulk_load(connection, ["flowsheet"], count):
        for albums in _playable_albums(connection, count):
            copy_rows(connection, "generator_copy_plays", _plays(albums, added, newest, random))
            added += len(albums)
        connection.execute(sql_files.load(PACKAGE, "generator_touch_flowsheet_watermark"))
    connection.execute(sql_files.load(PACKAGE, "generator_analyze_flowsheet"))
    return added


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
    """Add ``count`` events at even intervals over ``hours`` hours; return the number of new events.

    Each event has a random one of ``accounts`` triples of customer, deployment and model: at most that many rollups an hour.
    ``models`` maps each model to the base model in its events, None for none. An odd event lacks an id, has a model or base
    that no price file has, more cached than prompt tokens or no tokens, no event_ts, or a created_at 30 hours late. The same
    arguments give the same events; events that exist already stay as they are.

    One statement on the server. Raises ValueError for a share outside 0 .. 1, or without accounts, hours or models.
    """
    if not 0 <= odd_share <= 1 or min(accounts, hours, len(models)) < 1:
        raise ValueError("odd_share is between 0 and 1, and there are accounts, hours and models")
    if count <= 0:
        return 0
    parameters = {
        "count": count,
        "seed": seed,
        "first_instant": first_instant,
        "seconds": hours * 3600.0,
        "accounts": accounts,
        "models": list(models),
        "base_models": list(models.values()),
        "odd_share": odd_share,
    }
    with bulk_load(connection, ["billing_event"], count):
        added = connection.execute(sql_files.load(PACKAGE, "generator_billing_events"), parameters).rowcount
    connection.execute(sql_files.load(PACKAGE, "generator_analyze_billing_event"))
    return added


@dataclass(frozen=True)
class _Shares:
    """The shares of the generated albums in each state."""

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
    """The rows of one generated album."""

    artist: Row
    library: Row
    identity: Row | None


def _albums(
    count: int,
    *,
    first_id: int,
    first_artist_id: int,
    genre_ids: Sequence[int],
    format_ids: Sequence[int],
    shares: _Shares,
    random: Random,
) -> Iterator[_Album]:
    now = datetime.now(UTC)
    stale_at, fresh_at, marked_at = now - _STALE_AGE, now - _FRESH_AGE, now - _MARKER_AGE
    chance, choice = random.random, random.choice
    for place in range(count):
        library_id = first_id + place
        artist = _artist(first_artist_id + place // ALBUMS_PER_ARTIST)
        title = f"{choice(TITLE_WORDS)} {choice(TITLE_WORDS)} {library_id}"
        canonical = chance() < shares.canonical
        state = chance()
        verified_at = stale_at if state < shares.stale else fresh_at if state < shares.stale + shares.fresh else None
        library = (
            library_id,
            artist[0],
            genre_ids[place % len(genre_ids)],
            format_ids[place % len(format_ids)],
            title,
            _LABELS[place % len(_LABELS)],
            place % ALBUMS_PER_ARTIST + 1,
            now,
            artist[1],
            f"entity-{library_id}" if canonical else None,
            0.95 if canonical else None,
            stale_at if canonical else None,
            marked_at if chance() < shares.marker else None,
            None,
        )
        identity = (library_id, verified_at, "exact_match", 1.0, "consumer:lml-bulk") if verified_at else None
        yield _Album(artist, library, identity)


def _artist(artist_id: int) -> tuple[int, str, str, str]:
    name = artist_name(artist_id)
    return artist_id, name, name[:2].upper(), name


def _playable_albums(connection: psycopg.Connection, count: int) -> Iterator[Sequence[_Playable]]:
    """Yield ``count`` albums in batches, in the order of their ids; start again when the library ends."""
    last_id = 0
    while count > 0:
        page = {"after_id": last_id, "page_size": min(_BATCH_ROWS, count)}
        albums = connection.execute(sql_files.load(PACKAGE, "generator_playable_albums"), page).fetchall()
        if not albums and last_id == 0:
            raise ValueError("the library holds no album with an artist name: generate libraries first")
        last_id = albums[-1][0] if albums else 0
        count -= len(albums)
        if albums:
            yield albums


def _plays(albums: Sequence[_Playable], first_place: int, newest: datetime, random: Random) -> Iterator[Row]:
    for place, (album_id, artist, title, label) in enumerate(albums, start=first_place):
        track = f"{random.choice(TITLE_WORDS)} {place}"
        yield (album_id, track, title, artist, label, place + 1, newest - timedelta(minutes=place), "track", "pending")
