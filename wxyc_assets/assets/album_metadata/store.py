"""Reads which albums are pending, what would be asked about them, and what the ledger says of late."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from resources import sql_files
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.findings import RecentMismatches
from wxyc_assets.album_metadata.plan import Plan, ShardPlan
from wxyc_assets.album_metadata.verdicts import Album
from wxyc_assets.partitions import SHARD_COUNT

ASSET = "album_metadata"
ROLLING = timedelta(hours=24)

STRETCH_PLAYS = 200_000
"""Plays whose ids are looked through at once: a bounded range is one index scan, however long the flowsheet is."""

QUESTIONS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Questions:
    """What is known of some albums at the moment of asking: those to ask about, and the counts of those set aside."""

    albums: Sequence[Album]
    set_aside: Counters


def execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run one statement of this room."""
    return connection.execute(sql_files.load("wxyc_assets.album_metadata", query), parameters)


def plan(connection: psycopg.Connection, shards: Collection[int], *, retry_after: timedelta, batch_size: int) -> Plan:
    """Return the pending albums of the shards, as of now. Takes one bounded query for each stretch of the flowsheet."""
    ((as_of, first_id, last_id),) = execute(connection, "select_beginning").fetchall()
    pending: set[int] = set()
    for after_id in range(first_id - 1, last_id, STRETCH_PLAYS):
        rows = execute(
            connection,
            "select_pending_albums",
            after_id=after_id,
            upto_id=min(after_id + STRETCH_PLAYS, last_id),
            shards=list(shards),
            shard_count=SHARD_COUNT,
        )
        pending.update(album_id for (album_id,) in rows)
    plans = _sorted_out(connection, sorted(pending), as_of, retry_after)
    return Plan(as_of, batch_size, {shard: plans.get(shard, ShardPlan()) for shard in sorted(shards)})


def _sorted_out(
    connection: psycopg.Connection, pending: Sequence[int], as_of: datetime, retry_after: timedelta
) -> dict[int, ShardPlan]:
    """Return by shard what is to be asked and what is set aside."""
    ids: dict[tuple[int, str], list[int]] = defaultdict(list)
    for start in range(0, len(pending), QUESTIONS_AT_ONCE):
        some = pending[start : start + QUESTIONS_AT_ONCE]
        for album_id, _, _, state in _questions(connection, some, as_of, retry_after):
            ids[album_id % SHARD_COUNT, state].append(album_id)
    return {
        shard: ShardPlan(ids[shard, "ask"], len(ids[shard, "unresolvable"]), len(ids[shard, "rests"]))
        for shard in {shard for shard, _ in list(ids)}
    }


def questions(
    connection: psycopg.Connection, album_ids: Sequence[int], *, as_of: datetime, retry_after: timedelta
) -> Questions:
    """Return what is to be asked about the albums of one batch, by ascending id, as the library has them now."""
    albums: list[Album] = []
    set_aside = Counters()
    for album_id, artist_name, album_title, state in _questions(connection, album_ids, as_of, retry_after):
        if state == "ask":
            albums.append(Album(album_id, artist_name, album_title))
        elif state == "rests":
            set_aside = set_aside.plus(scanned=1, deferred=1)
        else:
            set_aside = set_aside.plus(scanned=1, skipped_unresolvable=1)
    return Questions(albums, set_aside)


def _questions(
    connection: psycopg.Connection, album_ids: Sequence[int], as_of: datetime, retry_after: timedelta
) -> psycopg.Cursor[tuple[Any, ...]]:
    return execute(connection, "select_questions", album_ids=list(album_ids), as_of=as_of, retry_after=retry_after)


def recent_mismatches(connection: psycopg.Connection) -> RecentMismatches:
    """Return what the ledger knows of rows under a foreign index in the last 24 hours."""
    ((mismatches, album_id, reason, run_id),) = execute(
        connection, "select_recent_mismatches", period=ROLLING
    ).fetchall()
    return RecentMismatches(mismatches, album_id, reason, run_id)


def analyze(connection: psycopg.Connection) -> None:
    """Let the planner know what was written."""
    execute(connection, "analyze_album_metadata")
