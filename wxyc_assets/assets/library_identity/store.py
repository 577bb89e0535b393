"""Reads the eligible libraries, page by page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from resources import sql_files
from wxyc_assets.assets.library_identity.verdicts import Library

ASSET = "library_identity"

VA_PAGE_SIZE = 100
"""Libraries that are filed under various artists: the answer about one has all of its tracks."""


@dataclass(frozen=True)
class Selection:
    """Which libraries a run asks about: the parameters of ``wxyc_assets.eligible_library``, and the highest id."""

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
    """Run one SQL file of this room."""
    return connection.execute(sql_files.load("wxyc_assets.assets.library_identity", query), parameters)


def run_start(connection: psycopg.Connection) -> tuple[datetime, int]:
    """Return the database's clock (aware, UTC) and the highest library id; a run reads no library above that id."""
    ((now, highest_id),) = execute(connection, "select_run_start").fetchall()
    return now, highest_id


def pages(
    connection: psycopg.Connection,
    selection: Selection,
    *,
    shard: int,
    shard_count: int,
    page_size: int,
    va_page_size: int = VA_PAGE_SIZE,
) -> Iterator[list[Library]]:
    """Yield the eligible libraries of a shard by ascending id, each at most once, whatever the run writes meanwhile.

    Libraries that are filed under various artists have pages of their own, of ``va_page_size``: LML is asked for their tracks.

    Reads ranges of ids that hold about one page of the shard. A bounded range is one index scan whatever the planner
    estimates for the predicate; with a LIMIT over the predicate, each page was a scan of the whole library.
    """
    waiting: dict[bool, list[Library]] = {False: [], True: []}
    sizes = {False: page_size, True: va_page_size}
    after_id = -1
    while (end := _range_end(connection, after_id, selection.upto_id, page_size * shard_count)) is not None:
        rows = execute(
            connection,
            "select_eligible",
            **{**selection.parameters(), "upto_id": end},
            after_id=after_id,
            shard=shard,
            shard_count=shard_count,
        )
        for row in rows:
            library = Library(*row)
            waiting[library.is_va].append(library)
            if len(waiting[library.is_va]) == sizes[library.is_va]:
                yield waiting[library.is_va]
                waiting[library.is_va] = []
        after_id = end
    yield from filter(None, waiting.values())


def _range_end(connection: psycopg.Connection, after_id: int, upto_id: int, libraries: int) -> int | None:
    row = execute(connection, "select_range_end", after_id=after_id, upto_id=upto_id, libraries=libraries).fetchone()
    return row[0] if row else None


def count_eligible(
    connection: psycopg.Connection, selection: Selection, *, shards: Sequence[int], shard_count: int
) -> dict[int, int]:
    """Return how many libraries of each shard are still eligible; shards without any are absent."""
    rows = execute(connection, "count_eligible", shards=list(shards), shard_count=shard_count, **selection.parameters())
    return dict(rows.fetchall())
