"""Reads the waiting plays, and marks them as enriched, one chunk at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg

from resources import sql_files
from wxyc_assets.assets.flowsheet_enrichment.checks import MarkedWithoutMetadata
from wxyc_assets.runs.partitions import SHARD_COUNT

ASSET = "flowsheet_enrichment"

RANGE_PLAYS = 20_000
"""Pending plays that one query reads: few enough to be fast, enough to fill a chunk of a single shard."""

STATEMENT_TIMEOUT_MS = 60_000
"""The limit of each statement of a chunk. The predecessor's single statement had four hours."""

LOCK_WAIT_MS = 500
"""Half of PostgreSQL's deadlock_timeout. In a deadlock the other session continues, because this run gives up first."""


class Play(NamedTuple):
    """The id of a waiting row of ``flowsheet``, and the shard of its album."""

    play_id: int
    shard: int


@dataclass(frozen=True)
class Selection:
    """Which plays a run marks: those of its shards that waited when it began.

    ``grace`` is the age in which a play belongs to the station's enrichment worker.
    """

    as_of: datetime
    upto_id: int
    shards: Sequence[int]
    grace: timedelta

    @property
    def played_until(self) -> datetime:
        """The time of the latest play that the run marks."""
        return self.as_of - self.grace


@dataclass(frozen=True)
class UntrustedMetadata:
    """Why a run refuses a shard: the shard's latest album_metadata run met answers with an unexpected index."""

    run_id: str
    unexpected_index: int

    def __str__(self) -> str:
        """Return the reason and the remedy for the operator."""
        return (
            f"its latest album_metadata run ({self.run_id}) met {self.unexpected_index} answers with an unexpected index; "
            "run album_metadata again for it"
        )


def _execute(connection: psycopg.Connection, name: str, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets.assets.flowsheet_enrichment", name), parameters)


def current_selection(connection: psycopg.Connection, shards: Sequence[int], grace: timedelta) -> Selection:
    """Return the selection of a run that starts now."""
    ((now, highest_id),) = _execute(connection, "select_run_start").fetchall()
    return Selection(now, highest_id, list(shards), grace)


def chunks(
    connection: psycopg.Connection, selection: Selection, chunk_plays: int, range_plays: int = RANGE_PLAYS
) -> Iterator[list[Play]]:
    """Yield the waiting plays by ascending id, each at most once; every chunk but the last has ``chunk_plays``.

    All shards are read together: the index of pending plays has no shard column, so reading shard by shard would read all of it
    sixteen times. Each query reads one range of the index, which bounds its work whatever the planner estimates for the rest of
    the predicate.
    """
    waiting: list[Play] = []
    after_id = -1
    while (end := _range_end(connection, after_id, selection.upto_id, range_plays)) is not None:
        rows = _execute(
            connection,
            "select_waiting",
            after_id=after_id,
            upto_id=end,
            played_until=selection.played_until,
            shards=selection.shards,
            shard_count=SHARD_COUNT,
        )
        waiting += [Play(*row) for row in rows]
        whole = len(waiting) - len(waiting) % chunk_plays
        for first in range(0, whole, chunk_plays):
            yield waiting[first : first + chunk_plays]
        waiting = waiting[whole:]
        after_id = end
    if waiting:
        yield waiting


def _range_end(connection: psycopg.Connection, after_id: int, upto_id: int, plays: int) -> int | None:
    row = _execute(connection, "select_range_end", after_id=after_id, upto_id=upto_id, plays=plays).fetchone()
    return row[0] if row else None


def count_waiting(connection: psycopg.Connection, selection: Selection) -> dict[int, int]:
    """Return how many plays of each shard have waited since before the run began; shards without any are absent."""
    rows = _execute(
        connection,
        "count_waiting",
        as_of=selection.as_of,
        upto_id=selection.upto_id,
        played_until=selection.played_until,
        shards=selection.shards,
        shard_count=SHARD_COUNT,
    )
    return dict(rows.fetchall())


def marked_without_metadata(connection: psycopg.Connection) -> MarkedWithoutMetadata:
    """Return the plays of all shards that are marked as enriched although their album has no metadata."""
    ((plays, albums, first_albums),) = _execute(connection, "select_marked_without_metadata").fetchall()
    return MarkedWithoutMetadata(plays, albums, first_albums)


def set_chunk_timeouts(connection: psycopg.Connection) -> None:
    """Limit how long each statement of the current transaction may run and wait for a lock."""
    _execute(connection, "set_chunk_timeouts", statement_timeout_ms=STATEMENT_TIMEOUT_MS, lock_wait_ms=LOCK_WAIT_MS)


def mark_enriched(connection: psycopg.Connection, play_ids: Sequence[int], selection: Selection) -> set[int]:
    """Mark those of the plays that still wait, and return them."""
    rows = _execute(
        connection,
        "mark_plays_enriched",
        ids=list(play_ids),
        played_until=selection.played_until,
        shards=selection.shards,
        shard_count=SHARD_COUNT,
    )
    return {row[0] for row in rows}


def lock_available(connection: psycopg.Connection, play_ids: Sequence[int]) -> set[int]:
    """Lock those of the plays that no other session has locked, and return them."""
    return {row[0] for row in _execute(connection, "lock_available_plays", ids=list(play_ids))}


def still_pending(connection: psycopg.Connection, play_ids: Sequence[int]) -> set[int]:
    """Return those of the plays that are still pending."""
    return {row[0] for row in _execute(connection, "select_still_pending", ids=list(play_ids))}


def dj_is_live(connection: psycopg.Connection, lookback_s: int) -> bool:
    """Return whether a track was played within the last ``lookback_s`` seconds."""
    return _execute(connection, "select_live_activity", lookback_seconds=lookback_s).fetchone() is not None


def untrusted_shards(connection: psycopg.Connection, shards: Sequence[int]) -> dict[int, UntrustedMetadata]:
    """Return the shards whose album metadata cannot be trusted, and why."""
    rows = _execute(connection, "select_untrusted_shards", partition_keys=[str(shard) for shard in shards])
    return {shard: UntrustedMetadata(run_id, count) for shard, run_id, count in rows}
