"""Owns the thread that writes captured requests to ``io_log``, and the bounded queue before it."""

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
class Row:
    """One row of ``io_log`` before its body is made fit for PostgreSQL, which is the thread's work."""

    request_id: str
    endpoint: str
    request_body: bytes
    request_truncated: bool
    status_code: int | None
    latency_ms: int | None
    created_at: datetime


class CaptureWriter:
    """Writes rows one by one over a connection of its own, opened when there is a row and anew after an error.

    Args:
        connect: opens a connection on which ``io_log`` is found.
        failed: called, in the thread, with each row that could not be written and why.
        max_rows: rows that may wait.
        max_bytes: bytes of bodies that may wait.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection],
        *,
        failed: Callable[[Row, Exception], None],
        max_rows: int,
        max_bytes: int,
    ) -> None:
        self._connect = connect
        self._failed = failed
        self._max_rows = max_rows
        self._max_bytes = max_bytes
        self._changed = threading.Condition()
        self._rows: deque[Row] = deque()
        self._waiting_bytes = 0
        self._closing = False
        self._thread: threading.Thread | None = None
        self.written = 0

    def put(self, row: Row) -> bool:
        """Queue a row; False if there is no room for it. Never waits for the database."""
        with self._changed:
            full = len(self._rows) >= self._max_rows or self._waiting_bytes + len(row.request_body) > self._max_bytes
            if full or self._closing:
                return False
            self._rows.append(row)
            self._waiting_bytes += len(row.request_body)
            if self._thread is None:
                # A daemon: a database that hangs must not keep the process from ending.
                self._thread = threading.Thread(target=self._run, name="io_log-writer", daemon=True)
                self._thread.start()
            self._changed.notify()
            return True

    def close(self, timeout_s: float) -> None:
        """Write what waits, for at most ``timeout_s``, and forget the rest."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(timeout_s)
        with self._changed:
            self._rows.clear()

    def _next(self) -> Row | None:
        with self._changed:
            self._changed.wait_for(lambda: self._rows or self._closing)
            if not self._rows:
                return None
            row = self._rows.popleft()
            self._waiting_bytes -= len(row.request_body)
            return row

    def _run(self) -> None:
        connection: psycopg.Connection | None = None
        while (row := self._next()) is not None:
            try:
                connection = connection or self._open()
                self._insert(connection, row)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next row may do better, and no call may notice
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
    def _insert(connection: psycopg.Connection, row: Row) -> None:
        parameters = {**vars(row), "request_body": sanitise(row.request_body)}
        connection.execute(load(__package__, "insert_io_log"), parameters)
        connection.commit()


def _close(connection: psycopg.Connection | None) -> None:
    if connection is not None:
        connection.close()
