"""The thread that writes captured requests: its queue, its connection, its end."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from resources.lml import capture_writer
from resources.lml.capture_writer import CaptureWriter, IoLogRow
from tests.resources.lml.io_log import DRAIN_TIMEOUT_S
from tests.waiting import wait_for

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def row(request_id: str, body: bytes = b"{}") -> IoLogRow:
    return IoLogRow(request_id, "bulk_lookup", body, False, 200, 7, NOW)


@dataclass
class Failures:
    """The rows that could not be written, with their errors."""

    rows: list[tuple[str, Exception]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __call__(self, failed: IoLogRow, error: Exception) -> None:
        with self.changed:
            self.rows.append((failed.request_id, error))
            self.changed.notify_all()

    def wait_for_one(self) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: self.rows, DRAIN_TIMEOUT_S)


@pytest.fixture
def failures() -> Failures:
    return Failures()


@pytest.fixture
def make(io_log, failures) -> Callable[..., CaptureWriter]:
    def make(connect: Callable[[], psycopg.Connection] = io_log.connect, **limits: Any) -> CaptureWriter:
        return CaptureWriter(connect, failed=failures, **{"max_rows": 1000, "max_bytes": 1_000_000, **limits})

    return make


class Gate:
    """A ``connect`` that says when the thread waits in it, and then waits for ``release``."""

    def __init__(self, connect: Callable[[], psycopg.Connection]) -> None:
        self._connect = connect
        self.entered = threading.Event()
        self.release = threading.Event()

    def __call__(self) -> psycopg.Connection:
        self.entered.set()
        self.release.wait(DRAIN_TIMEOUT_S)
        return self._connect()

    def wait_for_thread(self) -> None:
        assert self.entered.wait(DRAIN_TIMEOUT_S)


def test_close_writes_what_is_queued(io_log, make):
    writer = make()
    for i in range(200):
        assert writer.put(row(f"r{i}"))
    writer.close(DRAIN_TIMEOUT_S)
    assert writer.written == 200
    assert io_log.request_ids() == [f"r{i}" for i in range(200)]


def test_a_row_is_stored_as_text_and_its_words_are_searchable(io_log, make):
    writer = make()
    writer.put(row("r", b"Foolish x\xff\xfey a\0b"))
    writer.close(DRAIN_TIMEOUT_S)
    (stored,) = io_log.rows()
    assert stored["request_body"] == "Foolish x\N{REPLACEMENT CHARACTER}y ab"
    assert (stored["status_code"], stored["latency_ms"], stored["created_at"]) == (200, 7, NOW)
    with io_log.connect() as connection:
        found = connection.execute("SELECT count(*) FROM io_log WHERE body_tsv @@ to_tsquery('simple', 'foolish')")
        assert found.fetchone() == (1,)
        same = connection.execute(
            "SELECT body_tsv = to_tsvector('simple', request_body || ' ' || response_body) FROM io_log"
        )
        assert same.fetchone() == (True,)


def test_a_queue_full_of_rows_refuses_more(io_log, make):
    gate = Gate(io_log.connect)
    writer = make(gate, max_rows=2)
    assert writer.put(row("r0"))
    gate.wait_for_thread()  # it holds r0, which no longer counts
    assert [writer.put(row(f"r{i}")) for i in range(1, 5)] == [True, True, False, False]
    gate.release.set()
    writer.close(DRAIN_TIMEOUT_S)
    assert io_log.request_ids() == ["r0", "r1", "r2"]


def test_a_queue_full_of_bytes_refuses_more(io_log, make):
    gate = Gate(io_log.connect)
    writer = make(gate, max_bytes=1000)
    assert writer.put(row("r0", b"x" * 600))
    gate.wait_for_thread()
    assert [writer.put(row(f"r{i}", b"x" * size)) for i, size in ((1, 600), (2, 600), (3, 400))] == [True, False, True]
    gate.release.set()
    writer.close(DRAIN_TIMEOUT_S)
    assert io_log.request_ids() == ["r0", "r1", "r3"]


def test_a_connection_that_dies_is_opened_anew(io_log, make, failures):
    connections = []

    def connect() -> psycopg.Connection:
        connection = psycopg.connect(io_log.dsn)
        connections.append(connection)
        return connection

    writer = make(connect)
    writer.put(row("before"))
    wait_for(lambda: writer.written, "written row", DRAIN_TIMEOUT_S)
    with psycopg.connect(io_log.dsn, autocommit=True) as killer:
        killer.execute("SELECT pg_terminate_backend(%s)", [connections[0].info.backend_pid])
    writer.put(row("during"))
    failures.wait_for_one()
    writer.put(row("after"))
    writer.close(DRAIN_TIMEOUT_S)
    assert [request_id for request_id, _ in failures.rows] == ["during"]
    assert (io_log.request_ids(), len(connections)) == (["before", "after"], 2)


def test_a_slow_insert_is_ended_by_its_statement_timeout(io_log, make, failures, monkeypatch):
    monkeypatch.setattr(capture_writer, "STATEMENT_TIMEOUT_MS", 200)
    writer = make()
    with io_log.connect() as blocker:
        blocker.execute("LOCK TABLE io_log")
        writer.put(row("stuck"))
        failures.wait_for_one()
        blocker.rollback()
    monkeypatch.setattr(capture_writer, "STATEMENT_TIMEOUT_MS", 120_000)  # the next row is not about time
    writer.put(row("free"))
    writer.close(DRAIN_TIMEOUT_S)
    ((request_id, error),) = failures.rows
    assert (request_id, type(error)) == ("stuck", psycopg.errors.QueryCanceled)
    assert io_log.request_ids() == ["free"]


def test_an_insert_may_take_five_seconds():
    assert capture_writer.STATEMENT_TIMEOUT_MS == 5000


def test_close_leaves_behind_a_thread_that_hangs(io_log, make, failures):
    gate = Gate(io_log.connect)
    writer = make(gate)
    try:
        for i in range(3):
            writer.put(row(f"r{i}"))
        gate.wait_for_thread()
        writer.close(0.01)
        assert (writer.written, writer.put(row("late"))) == (0, False)
    finally:
        gate.release.set()
    assert failures.rows == []


def test_without_rows_there_is_no_thread_and_no_connection(make):
    def refuse() -> psycopg.Connection:
        raise AssertionError("no connection is needed")

    before = set(threading.enumerate())
    make(refuse).close(DRAIN_TIMEOUT_S)
    assert set(threading.enumerate()) - before == set()
