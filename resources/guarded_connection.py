"""A session that calls a guard before each statement and before each commit, and does neither if the guard raises."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

Guard = Callable[[], None]
"""Returns if the session may go on; raises psycopg.OperationalError if not. Several threads call it at once."""


def _allow() -> None:
    """Let the session go on."""


class _GuardedCursor(psycopg.Cursor[Any]):
    def execute(self, *args: Any, **kwargs: Any) -> Any:
        connection = self.connection
        if isinstance(connection, GuardedConnection):
            connection.guard()
        return super().execute(*args, **kwargs)


class GuardedConnection(psycopg.Connection[Any]):
    """A connection whose ``guard`` is set after it is opened. A transaction whose guard raises is rolled back."""

    guard: Guard = staticmethod(_allow)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = _GuardedCursor

    @contextmanager
    def transaction(self, *args: Any, **kwargs: Any) -> Iterator[psycopg.Transaction]:
        """Open a transaction that commits only if the guard still allows it."""
        with super().transaction(*args, **kwargs) as transaction:
            yield transaction
            self.guard()
