"""Writes many rows in one transaction; where one cannot be written, bisects until only that row is left out."""

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import psycopg

T = TypeVar("T")

WRITE_ATTEMPTS = 5
RETRY_AFTER_S = 0.1
"""Pause after the first attempt that met a lock conflict; each further pause is as much longer."""

LOCK_CONFLICTS = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
)
"""Another session was writing the same rows at that moment; the same statement can succeed later."""

_NO_ROWS_FAULT = frozenset({"08", "25", "28", "3D", "3F", "40", "42", "53", "55", "57", "58"})
"""Classes of SQLSTATE: connection, transaction state, authorization, catalogue, schema, rollback, syntax or access rule,
resources, object state, operator intervention, system."""


def write_isolating(
    connection: psycopg.Connection,
    items: Sequence[T],
    write: Callable[[Sequence[T]], Sequence[T]],
    rejected: Callable[[T, Exception], T],
) -> list[T]:
    """Write the items together or, where one of them cannot be encoded or written, all but that one; return them as written.

    ``write`` is one transaction on ``connection`` and returns the items as it wrote them: what the tables hold may have
    decided otherwise. ``rejected`` returns what is written in place of a refused item. Raises the error itself if no single
    item causes it.
    """
    try:
        return list(retry_on_conflict(lambda _attempt: write(items)))
    except Exception as error:
        if connection.closed or not may_be_one_rows(error):
            raise
        if len(items) > 1:
            halves = (items[: len(items) // 2], items[len(items) // 2 :])
            return [item for half in halves for item in write_isolating(connection, half, write, rejected)]
        replaced = [rejected(item, error) for item in items]
        return list(retry_on_conflict(lambda _attempt: write(replaced)))


def retry_on_conflict(
    work: Callable[[int], T],
    *,
    attempts: int | None = None,
    pause_s: Callable[[int], float] | None = None,
    sleep: Callable[[float], None] | None = None,
) -> T:
    """Return what ``work`` returns, called again after each lock conflict.

    Args:
        work: takes the number of the attempt, from 1.
        attempts: how many at most, ``WRITE_ATTEMPTS`` by default; the last one's conflict is raised.
        pause_s: seconds to wait after an attempt, ``RETRY_AFTER_S`` times its number by default.
        sleep: waits for some seconds.
    """
    last = attempts or WRITE_ATTEMPTS
    for attempt in range(1, last):
        try:
            return work(attempt)
        except LOCK_CONFLICTS:
            (sleep or time.sleep)(pause_s(attempt) if pause_s else attempt * RETRY_AFTER_S)
    return work(last)


def may_be_one_rows(error: Exception) -> bool:
    """Return whether one row can cause this error: by its data, a constraint, a trigger with any code, or while it is encoded.

    Every other error is a fault of the database, the role or the process, and each further row would meet it too.
    """
    if not isinstance(error, psycopg.Error):
        return not isinstance(error, MemoryError)
    if error.sqlstate is None:  # psycopg refused the value before sending: it cannot adapt or encode it
        return isinstance(error, psycopg.DataError | psycopg.ProgrammingError)
    return error.sqlstate[:2] not in _NO_ROWS_FAULT


def database_problem(error: psycopg.Error) -> str:
    """Return one line that says what the database refused."""
    text = str(error).strip().splitlines()
    return f"database: {type(error).__name__}: {text[0] if text else 'no message'}"
