"""Proves that a session has a backend of its own: behind a pooler in transaction mode it has another one for each statement.

Advisory locks, ``SET`` and snapshots hold for a backend, so that work through such a pooler would run beside other work, in
another schema, and no statement would fail.
"""

import threading
from contextlib import ExitStack
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

ROUNDS = 4
"""How often each of two sessions asks for its backend, in turns."""

_lock = threading.Lock()
_proved: set[str] = set()


class PoolerError(psycopg.OperationalError):
    """The database is behind a pooler that gives a session no backend of its own; nothing was read or written."""


def require_own_sessions(dsn: str, **parameters: Any) -> None:
    """Raise PoolerError unless two sessions on this DSN keep one backend each. Looks once in a process for each DSN.

    ``parameters``: of libpq, for the connections. Raises psycopg.OperationalError if the database cannot be reached.
    """
    with _lock:
        if dsn in _proved:
            return
    backends = _backends(dsn, parameters)
    if any(len(seen) > 1 for seen in backends) or backends[0] & backends[1]:
        raise PoolerError(_message(dsn))
    with _lock:
        _proved.add(dsn)


def _backends(dsn: str, parameters: dict[str, Any]) -> tuple[set[int], set[int]]:
    """Return the backends that two sessions saw, first one after the other and then in turns."""
    seen: tuple[set[int], set[int]] = (set(), set())
    with ExitStack() as stack:
        sessions = [stack.enter_context(_session(dsn, parameters)) for _ in seen]
        for place in (0, 0, 1, 1, *(place for _ in range(ROUNDS) for place in (0, 1))):
            ((pid,),) = sessions[place].execute("SELECT pg_backend_pid()").fetchall()
            seen[place].add(pid)
    return seen


def _session(dsn: str, parameters: dict[str, Any]) -> psycopg.Connection:
    session = psycopg.connect(dsn, autocommit=True, **parameters)
    session.prepare_threshold = None
    return session


def _message(dsn: str) -> str:
    parts = conninfo_to_dict(dsn)
    where = f"{parts.get('dbname', '?')} at {parts.get('host') or 'localhost'}:{parts.get('port') or 5432}"
    return (
        f"the database {where} is behind a connection pooler in transaction mode: the statements of one session run in "
        "several backends, so that locks and settings do not hold, and nothing was written. Name the server itself in "
        "the URL, or a pooler in session mode (pgbouncer: pool_mode = session)"
    )
