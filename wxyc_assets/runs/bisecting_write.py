"""Writes many rows at once, and all but the guilty one where the database refuses."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

T = TypeVar("T")

WRITE_ATTEMPTS = 5
RETRY_AFTER_S = 0.1
"""Before the second attempt to write; as much longer before each further one."""

IN_EACH_OTHERS_WAY = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
)

_NO_ROWS_FAULT = frozenset({"08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58"})
"""Classes of SQLSTATE: connection, transaction state, authorization, catalogue, schema, rollback, syntax or access rule,
resources, object state, operator intervention, system."""


def write_isolating(
    connection: psycopg.Connection,
    items: Sequence[T],
    write: Callable[[Sequence[T]], None],
    rejected: Callable[[T, psycopg.Error], T],
) -> list[T]:
    """Write the items together or, where one of them is refused, everything but that one; return them as they were written.

    ``write`` is one transaction on ``connection``. ``rejected`` says what is written in the place of a refused item. Raises
    psycopg.Error for a fault that is not one item's.
    """
    try:
        _write_again(items, write)
    except psycopg.Error as error:
        if connection.closed or not may_be_one_rows(error):
            raise
        if len(items) > 1:
            halves = (items[: len(items) // 2], items[len(items) // 2 :])
            return [item for half in halves for item in write_isolating(connection, half, write, rejected)]
        replaced = [rejected(item, error) for item in items]
        _write_again(replaced, write)
        return replaced
    return list(items)


def _write_again(items: Sequence[T], write: Callable[[Sequence[T]], None]) -> None:
    """Write together, and once more while the only fault is that somebody else was writing at that moment."""
    for attempt in range(1, WRITE_ATTEMPTS + 1):
        try:
            write(items)
        except IN_EACH_OTHERS_WAY:
            if attempt == WRITE_ATTEMPTS:
                raise
            time.sleep(attempt * RETRY_AFTER_S)
        else:
            return


def may_be_one_rows(error: psycopg.Error) -> bool:
    """Tell whether one row can have brought this about: its data, a constraint, or a trigger, whatever code that raises.

    What remains is the database's own trouble, or the role's: every other row would fail as well.
    """
    if error.sqlstate is None:
        return isinstance(error, psycopg.DataError)  # refused before it was sent
    return error.sqlstate[:2] not in _NO_ROWS_FAULT


def database_problem(error: psycopg.Error) -> str:
    """Say in one line what the database refused."""
    text = str(error).strip().splitlines()
    return f"database: {type(error).__name__}: {text[0] if text else 'no message'}"
