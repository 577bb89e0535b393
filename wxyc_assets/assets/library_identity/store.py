"""Reads which libraries are eligible, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from resources import sql_files
from wxyc_assets.library_identity.verdicts import Library

ASSET = "library_identity"


@dataclass(frozen=True)
class Selection:
    """Which libraries a run asks about; the parameters of ``wxyc_assets.eligible_library``, up to an id."""

    as_of: datetime
    upto_id: int
    stale_after: timedelta
    retry_after: timedelta
    include_null_canonical: bool = False
    recheck: bool = False

    def parameters(self) -> dict[str, Any]:
        """Return the selection as named SQL parameters."""
        return dict(vars(self))


def execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run one statement of this room."""
    return connection.execute(sql_files.load("wxyc_assets.library_identity", query), parameters)


def beginning(connection: psycopg.Connection) -> tuple[datetime, int]:
    """Return the database's clock (aware, UTC) and the highest library id: a run looks at nothing newer."""
    ((now, highest_id),) = execute(connection, "select_beginning").fetchall()
    return now, highest_id


def pages(
    connection: psycopg.Connection, selection: Selection, *, shard: int, shard_count: int, page_size: int
) -> Iterator[list[Library]]:
    """Yield the eligible libraries of a shard by ascending id; each at most once, whatever is written meanwhile.

    Reads stretches of the id range that hold about a page of the shard: a bounded range is one index scan whatever the
    planner believes about the predicate, where a LIMIT over it became a scan of the whole library a page.
    """
    waiting: list[Library] = []
    after_id = -1
    while (end := _stretch_end(connection, after_id, selection.upto_id, page_size * shard_count)) is not None:
        rows = execute(
            connection,
            "select_eligible",
            **{**selection.parameters(), "upto_id": end},
            after_id=after_id,
            shard=shard,
            shard_count=shard_count,
        )
        waiting += [Library(*row) for row in rows]
        while len(waiting) >= page_size:
            yield waiting[:page_size]
            waiting = waiting[page_size:]
        after_id = end
    if waiting:
        yield waiting


def _stretch_end(connection: psycopg.Connection, after_id: int, upto_id: int, libraries: int) -> int | None:
    row = execute(connection, "select_window_end", after_id=after_id, upto_id=upto_id, libraries=libraries).fetchone()
    return row[0] if row else None


def count_eligible(
    connection: psycopg.Connection, selection: Selection, *, shards: Sequence[int], shard_count: int
) -> dict[int, int]:
    """Return how many libraries of each shard need asking; shards without any are absent."""
    rows = execute(connection, "count_eligible", shards=list(shards), shard_count=shard_count, **selection.parameters())
    return dict(rows.fetchall())
