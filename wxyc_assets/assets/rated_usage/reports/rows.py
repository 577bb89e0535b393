"""Streams the rows of a query of this package, whatever their number, with instants as text."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from resources import sql_files

PACKAGE = "wxyc_assets.assets.rated_usage.reports"
FETCHED_AT_ONCE = 2000

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Rows:
    """The columns of a result and its rows, which are read as they are iterated, once."""

    columns: Sequence[str]
    tuples: Iterator[Sequence[Any]]
    cursor: psycopg.ServerCursor

    def closing(self) -> psycopg.ServerCursor:
        """Return the cursor, whose block closes it, whether or not the rows were read."""
        return self.cursor

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the rows by column."""
        for values in self.tuples:
            yield dict(zip(self.columns, values, strict=True))


def stream(connection: psycopg.Connection, query: str, **parameters: object) -> Rows:
    """Return the rows of a query of this package, to be iterated within the transaction that is open. Instants are text."""
    cursor = connection.cursor(name=query)
    cursor.itersize = FETCHED_AT_ONCE
    cursor.execute(sql_files.load(PACKAGE, query), parameters)
    return Rows([column.name for column in cursor.description or ()], _read(cursor), cursor)


def _read(cursor: psycopg.ServerCursor) -> Iterator[Sequence[Any]]:
    with cursor:
        for values in cursor:
            yield [instant_text(value) if isinstance(value, datetime) else value for value in values]


def instant_text(instant: datetime) -> str:
    """Return an instant as RFC 3339 in UTC: ``2026-06-08T10:00:00Z``, with microseconds only where there are some."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
