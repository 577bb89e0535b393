"""Queries of the tests of the station's tables."""

from typing import Any

import psycopg


def value(connection: psycopg.Connection, query: str, parameters: Any = None) -> Any:
    """Return the first column of the first row."""
    row = connection.execute(query, parameters).fetchone()
    assert row is not None
    return row[0]
