"""What is kept of requests in io_log, and that keeping it is never in the way of a call."""

import threading
import time

import psycopg
import pytest
from psycopg.rows import dict_row

from resources.lml import capture_writer
from resources.lml.capture import Capture, Captured
from resources.lml.client import LmlClient
from tests.resources.lml.loopback import KEY, answer, libraries

IO_LOG = """
CREATE TABLE io_log (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  request_id varchar(255) NOT NULL,
  auth_id varchar(64), user_id varchar(32), group_id varchar(32), resource_id varchar(64), resource_type varchar(64),
  model varchar(255),
  request_body text, request_truncated boolean NOT NULL DEFAULT false,
  response_body text, response_truncated boolean NOT NULL DEFAULT false,
  status_code integer, streamed boolean NOT NULL DEFAULT false, latency_ms bigint,
  created_at timestamptz NOT NULL DEFAULT now(), body_tsv tsvector);
CREATE INDEX ON io_log USING gin (body_tsv);
"""
CAP = 262_144


class Station:
    """A database with io_log, and a capture into it whose warnings are remembered."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.warnings: list[tuple[str, str, dict]] = []
        with psycopg.connect(dsn) as connection:
            connection.execute(IO_LOG)

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(self.dsn)

    def warn(self, step: str, message: str, **fields: object) -> None:
        self.warnings.append((step, message, fields))

    def capture(self, sample_rate: float = 1, **overrides) -> Capture:
        settings = {"connect": self.connect, "sample_rate": sample_rate, "warn": self.warn, **overrides}
        return Capture(settings.pop("connect"), **settings)

    def rows(self) -> list[dict]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as connection:
            return connection.execute("SELECT * FROM io_log ORDER BY id").fetchall()

    @property
    def steps(self) -> list[str]:
        return [step for step, _, _ in self.warnings]


@pytest.fixture
def station(database) -> Station:
    return Station(database)


def refuse() -> psycopg.Connection:
    raise psycopg.OperationalError("connection to server failed: password=hunter2")


# --- through the client ---


@pytest.mark.parametrize(("rate", "kept"), [(0, 0), (1, 1)])
def test_a_call_is_captured_when_it_is_sampled_and_never_by_default_of_zero(lml, config, station, rate, kept):
    capture = station.capture(rate)
    with LmlClient(config(), capture=capture) as client:
        client.bulk_resolve_libraries(libraries())
    assert capture.close() == 0
    assert len(station.rows()) == kept
    assert station.warnings == []


def test_a_captured_row_says_what_was_sent_and_how_it_went(lml, config, station):
    lml.plays = [answer({}, 500), answer({"results": []})]
    capture = station.capture()
    with LmlClient(config(), capture=capture) as client:
        got = client.bulk_resolve_libraries(libraries(2))
    capture.close()
    (row,) = station.rows()  # one call, however often it was tried
    assert row["request_id"] == lml.seen[0].headers["x-request-id"]
    assert row["request_body"].encode() == lml.seen[0].body
    assert (row["request_truncated"], row["response_truncated"], row["streamed"]) == (False, False, False)
    assert (row["response_body"], row["status_code"], row["latency_ms"]) == ("", 200, round(got.latency_ms))
    assert (row["resource_type"], row["resource_id"], row["auth_id"]) == ("lml", "bulk_resolve_libraries", None)
    assert KEY not in str(row)


def test_a_failed_call_is_captured_too_and_one_that_was_not_made_is_not(lml, config, station):
    lml.always = answer({}, 500)
    capture = station.capture()
    with LmlClient(config(attempts=1, breaker_threshold=1), capture=capture) as client:
        for _ in range(2):
            with pytest.raises(Exception, match="LML failed"):
                client.bulk_resolve_libraries(libraries())
    capture.close()
    assert [row["status_code"] for row in station.rows()] == [500]


def test_the_call_carries_the_full_body_though_the_captured_one_is_cut(lml, config, station):
    capture = station.capture()
    with LmlClient(config(), capture=capture) as client:
        long = [item.model_copy(update={"album_title": "€" * 200}) for item in libraries(500)]
        client.bulk_resolve_libraries(long)
    capture.close()
    sent = lml.seen[0].body
    (row,) = station.rows()
    kept = row["request_body"].encode()
    assert len(sent) > CAP >= len(kept) > CAP - 3
    assert sent.startswith(kept)
    assert len(lml.seen[0].json["inputs"]) == 500
    assert row["request_truncated"]
    ((_, message, fields),) = station.warnings
    assert "iolog: request body truncated for capture" in message
    assert f"({len(sent)} \N{RIGHTWARDS ARROW} {CAP} bytes)" in message
    assert row["request_id"] in message
    assert fields == {"request_id": row["request_id"], "original_bytes": len(sent), "cap_bytes": CAP}


def test_a_body_of_exactly_the_cap_is_whole_and_no_word_is_said(station):
    capture = station.capture()
    capture.offer(Captured("r", "bulk_lookup", b"x" * CAP))
    assert capture.close() == 0
    assert [(len(row["request_body"]), row["request_truncated"]) for row in station.rows()] == [(CAP, False)]
    assert station.warnings == []


def test_a_body_that_is_not_sampled_is_not_cut_and_not_warned_of(station):
    capture = station.capture(0.25)  # req-1 falls at 0.99
    capture.offer(Captured("req-1", "bulk_lookup", b"x" * (CAP + 1)))
    capture.close()
    assert (station.rows(), station.warnings) == ([], [])


def test_what_postgres_takes_for_no_text_is_made_one_and_words_are_found(station):
    capture = station.capture()
    capture.offer(Captured("r", "bulk_lookup", b"Foolish x\xff\xfey a\0b"))
    capture.close()
    (row,) = station.rows()
    assert row["request_body"] == "Foolish x\N{REPLACEMENT CHARACTER}y ab"
    with station.connect() as connection:
        found = connection.execute("SELECT count(*) FROM io_log WHERE body_tsv @@ to_tsquery('simple', 'foolish')")
        assert found.fetchone() == (1,)
        same = connection.execute(
            "SELECT body_tsv = to_tsvector('simple', request_body || ' ' || response_body) FROM io_log"
        )
        assert same.fetchone() == (True,)


# --- never in the way ---


def test_a_dead_database_costs_rows_and_nothing_else(lml, config, station):
    capture = station.capture(connect=refuse)
    with LmlClient(config(), capture=capture) as client:
        for _ in range(3):
            assert client.bulk_resolve_libraries(libraries()).calls == 1
    assert capture.close() == 3
    assert station.steps == ["iolog_insert_failed"] * 3 + ["iolog_lost"]  # every lost insert, then the sum
    assert "hunter2" not in str(station.warnings)


def test_a_database_that_hangs_neither_delays_a_call_nor_the_end(lml, config, station):
    release = threading.Event()

    def hang() -> psycopg.Connection:
        release.wait(10)
        return refuse()

    capture = station.capture(connect=hang)
    started = time.monotonic()
    with LmlClient(config(), capture=capture) as client:
        for _ in range(5):
            client.bulk_resolve_libraries(libraries())
    assert capture.close(timeout_s=0.2) == 5
    assert time.monotonic() - started < 1.5
    release.set()
    assert "5 of 5" in station.warnings[-1][1]


def test_a_slow_insert_is_ended_by_its_statement_timeout(station, monkeypatch):
    monkeypatch.setattr(capture_writer, "STATEMENT_TIMEOUT_MS", 200)
    capture = station.capture()
    with station.connect() as blocker:
        blocker.execute("LOCK TABLE io_log")
        capture.offer(Captured("stuck", "bulk_lookup", b"{}"))
        wait_until(lambda: station.warnings)
        blocker.rollback()
    capture.offer(Captured("free", "bulk_lookup", b"{}"))
    assert capture.close() == 1
    assert "statement timeout" in station.warnings[0][2]["error_message"]
    assert [row["request_id"] for row in station.rows()] == ["free"]


def test_inserts_may_take_five_seconds():
    assert capture_writer.STATEMENT_TIMEOUT_MS == 5000


def test_a_full_queue_drops_the_new_and_warns_at_powers_of_two(station):
    release = threading.Event()

    def later() -> psycopg.Connection:
        release.wait(10)
        return station.connect()

    capture = station.capture(connect=later, queue_rows=4)
    capture.offer(Captured("r0", "x", b"{}"))
    wait_until(lambda: not capture._writer._rows)  # the thread holds r0 and waits for its connection
    for i in range(1, 15):
        capture.offer(Captured(f"r{i}", "x", b"{}"))
    release.set()
    assert capture.close() == 10
    assert [row["request_id"] for row in station.rows()] == ["r0", "r1", "r2", "r3", "r4"]
    assert [fields["dropped"] for step, _, fields in station.warnings if step == "iolog_dropped"] == [1, 2, 4, 8]


def test_a_queue_full_of_bytes_is_full(station):
    release = threading.Event()

    def later() -> psycopg.Connection:
        release.wait(10)
        return station.connect()

    capture = station.capture(connect=later, queue_bytes=1000)
    capture.offer(Captured("r0", "x", b"x" * 600))
    wait_until(lambda: not capture._writer._rows)
    for i in range(1, 4):
        capture.offer(Captured(f"r{i}", "x", b"x" * 600))
    release.set()
    assert capture.close() == 2


def test_a_connection_that_dies_is_opened_anew(station):
    capture = station.capture()
    capture.offer(Captured("before", "x", b"{}"))
    wait_until(lambda: len(station.rows()) == 1)
    with psycopg.connect(station.dsn, autocommit=True) as killer:
        killer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    capture.offer(Captured("during", "x", b"{}"))
    wait_until(lambda: station.warnings)
    capture.offer(Captured("after", "x", b"{}"))
    assert capture.close() == 1
    assert [row["request_id"] for row in station.rows()] == ["before", "after"]


def test_close_writes_what_waits(station):
    capture = station.capture()
    for i in range(200):
        capture.offer(Captured(f"r{i}", "x", b"{}"))
    assert capture.close() == 0
    assert len(station.rows()) == 200


def test_after_close_nothing_is_kept_and_the_loss_is_said(station):
    capture = station.capture()
    assert capture.close() == 0
    capture.offer(Captured("late", "x", b"{}"))
    assert station.steps == ["iolog_dropped"]


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_that_is_no_share_is_refused(station, rate):
    with pytest.raises(ValueError, match="LML_CAPTURE_SAMPLE_RATE"):
        station.capture(rate)


def test_off_means_no_thread_and_no_connection(station):
    before = threading.active_count()
    capture = station.capture(0, connect=refuse)
    capture.offer(Captured("r", "x", b"{}"))
    assert threading.active_count() == before
    assert capture.close() == 0


def wait_until(condition, timeout_s: float = 5.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
