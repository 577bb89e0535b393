"""The thread that writes captured requests to ``io_log``, and the bounded queue in front of it."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import psycopg

from resources.lml.capture_text import sanitise
from resources.sql_files import load

STATEMENT_TIMEOUT_MS = 5000


@dataclass(frozen=True)
class IoLogRow:
    """One row of ``io_log``, with its body as sent: the writing thread makes it storable."""

    request_id: str
    endpoint: str
    request_body: bytes
    request_truncated: bool
    status_code: int | None
    latency_ms: int | None
    created_at: datetime


class CaptureWriter:
    """Writes rows one by one over a connection of its own, which it opens for the first row and reopens after an error.

    Args:
        connect: opens a connection whose search path finds ``io_log``.
        failed: called, in the thread, with each row that could not be written and the error.
        max_rows: largest number of queued rows.
        max_bytes: largest total size of the bodies of queued rows.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        *,
        failed: Callable[[IoLogRow, Exception], None],
        max_rows: int,
        max_bytes: int,
    ) -> None:
        self._connect = connect
        self._failed = failed
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._rows: deque[IoLogRow] = deque()
        self._queued_bytes = 0
        self._closing = False
        self._thread: threading.Thread | None = None
        self.written = 0

    def put(self, row: IoLogRow) -> bool:
        """Queue a row; return False if the queue is full or closed. Never waits for the database."""
        with self._changed:
            full = len(self._rows) >= self._max_rows or self._queued_bytes + len(row.request_body) > self._max_bytes
            if full or self._closing:
                return False
            self._rows.append(row)
            self._queued_bytes += len(row.request_body)
            if self._thread is None:
                # A daemon: a database that hangs must not keep the process from ending.
                self._thread = threading.Thread(target=self._run, name="io_log-writer", daemon=True)
                self._thread.start()
            self._changed.notify()
            return True

    def close(self, timeout_s: float) -> None:
        """Write the queued rows, for at most ``timeout_s``, and drop the rest."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)
        with self._changed:
            self._rows.clear()

    def _next(self) -> IoLogRow | None:
        with self._changed:
            self._changed.wait_for(lambda: self._rows or self._closing)
            if not self._rows:
                return None
            row = self._rows.popleft()
            self._queued_bytes -= len(row.request_body)
            return row

    def _run(self) -> None:
        connection: psycopg.Connection | None = None
        while (row := self._next()) is not None:
            try:
                connection = connection or self._open()
                self._insert(connection, row)
            except Exception as error:  # noqa: BLE001 - the next row may succeed, and no error may reach a call
                _close(connection)
                connection = None
                self._failed(row, error)
            else:
                self.written += 1
        _close(connection)

    def _open(self) -> psycopg.Connection:
        connection = self._connect()
        try:
            connection.execute(load(__package__, "set_statement_timeout"), {"timeout_ms": STATEMENT_TIMEOUT_MS})
            connection.commit()
        except BaseException:
            connection.close()
            raise
        return connection

    @staticmethod
    def _insert(connection: psycopg.Connection, row: IoLogRow) -> None:
        parameters = {**vars(row), "request_body": sanitise(row.request_body)}
        connection.execute(load(__package__, "insert_io_log"), parameters)
        connection.commit()


def _close(connection: psycopg.Connection | None) -> None:
    if connection is not None:
        connection.close()
