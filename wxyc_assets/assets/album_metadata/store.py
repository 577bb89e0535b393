"""Reads the pending albums, whether to ask LML about each, and the mismatches that the ledger recorded recently."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from resources import sql_files
from wxyc_assets.assets.album_metadata.checks import RecentMismatches
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.plan import Plan, ShardPlan, repeated_albums
from wxyc_assets.assets.album_metadata.verdicts import Album, Name
from wxyc_assets.runs.partitions import SHARD_COUNT

ASSET = "album_metadata"
ROLLING = timedelta(hours=24)

RANGE_PLAYS = 200_000
"""Plays in the range of ids that one query reads: a bounded range is one index scan, however long the flowsheet is."""

ALBUMS_PER_QUERY = 10_000
"""Albums whose state one query reads."""


@dataclass(frozen=True)
class LookupInputs:
    """The albums of a batch as the library has them now: those to ask LML about, and the counts of the others."""

    albums: Sequence[Album]
    not_asked: Counters


def execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run one SQL file of this room."""
    return connection.execute(sql_files.load("wxyc_assets.assets.album_metadata", query), parameters)


def plan(
    connection: psycopg.Connection,
    shards: Collection[int],
    *,
    retry_after: timedelta,
    grace: timedelta,
    batch_size: int,
) -> Plan:
    """Return the pending albums of the shards as they are now. Runs one bounded query for each range of the flowsheet.

    An album with no other pending plays than those of the ``grace`` is left to the station's enrichment worker.
    """
    ((as_of, first_id, last_id),) = execute(connection, "select_run_start").fetchall()
    pending: set[int] = set()
    for after_id in range(first_id - 1, last_id, RANGE_PLAYS):
        rows = execute(
            connection,
            "select_pending_albums",
            after_id=after_id,
            upto_id=min(after_id + RANGE_PLAYS, last_id),
            played_until=as_of - grace,
            shards=list(shards),
            shard_count=SHARD_COUNT,
        )
        pending.update(album_id for (album_id,) in rows)
    ids, names = _ids_by_state(connection, sorted(pending), as_of, retry_after)
    repeats = repeated_albums([ids[shard, "ask"] for shard in sorted(shards)], names)
    return Plan(
        as_of,
        batch_size,
        {
            shard: ShardPlan(
                ids[shard, "ask"],
                len(ids[shard, "unresolvable"]),
                len(ids[shard, "rests"]),
                repeats.intersection(ids[shard, "ask"]),
            )
            for shard in sorted(shards)
        },
        frozenset(names[album_id] for album_id in repeats),
    )


def _ids_by_state(
    connection: psycopg.Connection, pending: Sequence[int], as_of: datetime, retry_after: timedelta
) -> tuple[dict[tuple[int, str], list[int]], dict[int, Name]]:
    """Return the albums by shard and state, and the names of those to ask LML about."""
    ids: dict[tuple[int, str], list[int]] = defaultdict(list)
    names: dict[int, Name] = {}
    for start in range(0, len(pending), ALBUMS_PER_QUERY):
        page = pending[start : start + ALBUMS_PER_QUERY]
        for album_id, artist_name, album_title, state in _album_states(connection, page, as_of, retry_after):
            ids[album_id % SHARD_COUNT, state].append(album_id)
            if state == "ask":
                names[album_id] = Album(album_id, artist_name, album_title).name
    return ids, names


def lookup_inputs(
    connection: psycopg.Connection, album_ids: Sequence[int], *, as_of: datetime, retry_after: timedelta
) -> LookupInputs:
    """Return the albums of one batch to ask LML about, by ascending id, under the names that the library has now."""
    albums: list[Album] = []
    not_asked = Counters()
    for album_id, artist_name, album_title, state in _album_states(connection, album_ids, as_of, retry_after):
        if state == "ask":
            albums.append(Album(album_id, artist_name, album_title))
        elif state == "rests":
            not_asked = not_asked.plus(scanned=1, deferred=1)
        else:
            not_asked = not_asked.plus(scanned=1, skipped_unresolvable=1)
    return LookupInputs(albums, not_asked)


def _album_states(
    connection: psycopg.Connection, album_ids: Sequence[int], as_of: datetime, retry_after: timedelta
) -> psycopg.Cursor[tuple[Any, ...]]:
    return execute(connection, "select_album_states", album_ids=list(album_ids), as_of=as_of, retry_after=retry_after)


def recent_mismatches(connection: psycopg.Connection) -> RecentMismatches:
    """Return the results with an unexpected index that the ledger recorded within the last 24 hours."""
    ((mismatches, album_id, reason, run_id),) = execute(
        connection, "select_recent_mismatches", period=ROLLING
    ).fetchall()
    return RecentMismatches(mismatches, album_id, reason, run_id)
