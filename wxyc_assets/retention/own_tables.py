"""Removes old rows of our own schema, some thousand a transaction."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any, Final

import psycopg

from resources import sql_files
from wxyc_assets.retention.rules import Kind, Removed

COMPARED_TALLIES: Final = 5
"""How many complete tallies of a shard library_identity compares its rate of unresolved albums with."""

ROWS_AT_ONCE = 2000

OF_STATION: Final[Sequence[tuple[Kind, str]]] = (
    ("alerts", "delete_alerts"),
    ("replaced_albums", "delete_replaced_albums"),
    ("answers", "delete_answers"),
)
"""What only the station's database has."""

OF_LEDGER: Final[Sequence[tuple[Kind, str]]] = (
    ("tallies", "delete_tallies"),
    ("quarantine", "delete_resolved"),
    ("ledger_runs", "delete_ledger_runs"),
)
"""What each database has whose tables an asset writes; the runs last, because they remain while anything names them."""


def prune_own_tables(
    connection: psycopg.Connection, before: datetime, *, is_station: bool, dry_run: bool = False
) -> Iterator[Removed]:
    """Remove what is older than ``before``, and yield what each transaction removed; a dry run is one, and is rolled back."""
    with connection.transaction(force_rollback=True) if dry_run else nullcontext():
        yield from _prune_tables(connection, before, None if dry_run else ROWS_AT_ONCE, is_station=is_station)


def _prune_tables(
    connection: psycopg.Connection, before: datetime, row_limit: int | None, *, is_station: bool
) -> Iterator[Removed]:
    for kind, statement in (*(OF_STATION if is_station else ()), *OF_LEDGER):
        more = True
        while more:
            with connection.transaction():
                removed = delete(connection, kind, statement, **_parameters(statement, before, row_limit))
            more = removed.count == row_limit
            yield removed


def delete(connection: psycopg.Connection, kind: Kind, statement: str, **parameters: object) -> Removed:
    """Execute a statement that removes rows and returns how many there were, and their size."""
    ((count, size),) = execute(connection, statement, **parameters).fetchall()
    return Removed(kind, count, size)


def execute(connection: psycopg.Connection, statement: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run one statement of this package."""
    return connection.execute(sql_files.load("wxyc_assets.retention", statement), parameters)


def _parameters(statement: str, before: datetime, row_limit: int | None) -> Mapping[str, object]:
    compared = {"compared": COMPARED_TALLIES} if statement == "delete_tallies" else {}
    return {"before": before, "row_limit": row_limit, **compared}
