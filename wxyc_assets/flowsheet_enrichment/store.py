"""Reads plays that wait, and marks them as enriched, a chunk at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from resources import sql_files
from wxyc_assets.partitions import SHARD_COUNT

ASSET = "flowsheet_enrichment"

STRETCH_PLAYS = 20_000
"""How many pending plays one query looks through: few enough to be quick, enough to fill a chunk of a single shard."""

STATEMENT_TIMEOUT_MS = 60_000
"""Of each statement of a chunk. The predecessor's one statement had four hours."""

LOCK_WAIT_MS = 500
"""Half of PostgreSQL's deadlock_timeout: whoever we are in a knot with goes on, because we let go before the server picks."""


class Play(NamedTuple):
    """A row of ``flowsheet`` that waits, by its id, and the shard of its album."""

    play_id: int
    shard: int


@dataclass(frozen=True)
class Selection:
    """Which plays a run looks at: those that waited when it began, of its shards."""

    as_of: datetime
    upto_id: int
    shards: Sequence[int]


@dataclass(frozen=True)
class Distrust:
    """Why a shard must not be touched: its latest album_metadata run was answered under unexpected indexes."""

    run_id: str
    unexpected_index: int

    def __str__(self) -> str:
        """Say so to whoever wonders why nothing was done."""
        return (
            f"its latest album_metadata run ({self.run_id}) met {self.unexpected_index} answers under an unexpected index; "
            "run album_metadata again for it"
        )


def _execute(connection: psycopg.Connection, name: str, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load("wxyc_assets.flowsheet_enrichment", name), parameters)


def beginning(connection: psycopg.Connection, shards: Sequence[int]) -> Selection:
    """Return what a run that begins now looks at."""
    ((now, highest_id),) = _execute(connection, "select_beginning").fetchall()
    return Selection(now, highest_id, list(shards))


def chunks(
    connection: psycopg.Connection, selection: Selection, chunk_plays: int, stretch_plays: int = STRETCH_PLAYS
) -> Iterator[list[Play]]:
    """Yield the plays that wait, by ascending id, each at most once; every chunk but the last has ``chunk_plays``.

    All shards together: the index of pending plays knows no shard, so a walk a shard would read all of it sixteen times.
    By stretches of it, which bounds what a query reads whatever the planner believes about the rest of the predicate.
    """
    waiting: list[Play] = []
    after_id = -1
    while (end := _stretch_end(connection, after_id, selection.upto_id, stretch_plays)) is not None:
        rows = _execute(
            connection,
            "select_waiting",
            after_id=after_id,
            upto_id=end,
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


def _stretch_end(connection: psycopg.Connection, after_id: int, upto_id: int, plays: int) -> int | None:
    row = _execute(connection, "select_stretch_end", after_id=after_id, upto_id=upto_id, plays=plays).fetchone()
    return row[0] if row else None


def count_waiting(connection: psycopg.Connection, selection: Selection) -> dict[int, int]:
    """Return how many plays of each shard wait that did so already when the run began; shards without any are absent."""
    return dict(_execute(connection, "count_waiting", shard_count=SHARD_COUNT, **vars(selection)).fetchall())


def set_chunk_timeouts(connection: psycopg.Connection) -> None:
    """Bound what the statements of the current transaction may take and wait."""
    _execute(connection, "set_chunk_timeouts", statement_timeout_ms=STATEMENT_TIMEOUT_MS, lock_wait_ms=LOCK_WAIT_MS)


def flip(connection: psycopg.Connection, play_ids: Sequence[int], shards: Sequence[int]) -> set[int]:
    """Mark the plays that still wait, and return which those were."""
    rows = _execute(connection, "flip_plays", ids=list(play_ids), shards=list(shards), shard_count=SHARD_COUNT)
    return {row[0] for row in rows}


def lock_free(connection: psycopg.Connection, play_ids: Sequence[int]) -> set[int]:
    """Lock those of the plays that nobody else holds, and return which those were."""
    return {row[0] for row in _execute(connection, "lock_free_plays", ids=list(play_ids))}


def pending(connection: psycopg.Connection, play_ids: Sequence[int]) -> set[int]:
    """Return those of the plays that are still pending."""
    return {row[0] for row in _execute(connection, "select_pending", ids=list(play_ids))}


def dj_is_live(connection: psycopg.Connection, lookback_s: int) -> bool:
    """Tell whether a track was played within the last ``lookback_s`` seconds."""
    return _execute(connection, "select_live_activity", lookback_seconds=lookback_s).fetchone() is not None


def distrusted(connection: psycopg.Connection, shards: Sequence[int]) -> dict[int, Distrust]:
    """Return the shards whose album metadata must not be built upon, and why."""
    rows = _execute(connection, "select_distrusted_shards", partition_keys=[str(shard) for shard in shards])
    return {shard: Distrust(run_id, count) for shard, run_id, count in rows}
