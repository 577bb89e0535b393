"""Which requests reach io_log, what a row holds, and that a capture never gets in the way of a call."""

import threading

import pytest

from resources.lml.capture import CapturedRequest
from resources.lml.client import LmlClient
from tests.resources.lml.io_log import DRAIN_TIMEOUT_S, refuse
from tests.resources.lml.loopback import KEY, answer, libraries

CAP = 262_144


@pytest.mark.parametrize(("rate", "captured"), [(0, 0), (1, 1)])
def test_a_call_is_captured_when_it_is_sampled(lml, config, io_log, rate, captured):
    capture = io_log.capture(rate)
    with LmlClient(config(), capture=capture) as client:
        client.bulk_resolve_libraries(libraries())
    assert capture.close(DRAIN_TIMEOUT_S) == 0
    assert len(io_log.rows()) == captured
    assert io_log.warnings == []


def test_a_row_holds_what_was_sent_and_the_outcome_of_all_tries(lml, config, io_log):
    lml.plays = [answer({}, 500), answer({"results": []})]
    capture = io_log.capture()
    with LmlClient(config(), capture=capture) as client:
        got = client.bulk_resolve_libraries(libraries(2))
    capture.close(DRAIN_TIMEOUT_S)
    (row,) = io_log.rows()
    assert row["request_id"] == lml.seen[0].headers["x-request-id"]
    assert row["request_body"].encode() == lml.seen[0].body
    assert (row["request_truncated"], row["response_truncated"], row["streamed"]) == (False, False, False)
    assert (row["response_body"], row["status_code"], row["latency_ms"]) == ("", 200, round(got.latency_ms))
    assert (row["resource_type"], row["resource_id"], row["auth_id"]) == ("lml", "bulk_resolve_libraries", None)
    assert KEY not in str(row)


def test_a_failed_call_is_captured_and_a_refused_one_is_not(lml, config, io_log):
    lml.always = answer({}, 500)
    capture = io_log.capture()
    with LmlClient(config(attempts=1, breaker_threshold=1), capture=capture) as client:
        for _ in range(2):
            with pytest.raises(Exception, match="LML failed"):
                client.bulk_resolve_libraries(libraries())
    capture.close(DRAIN_TIMEOUT_S)
    assert [row["status_code"] for row in io_log.rows()] == [500]


def test_the_call_carries_the_full_body_the_row_a_truncated_one(lml, config, io_log):
    capture = io_log.capture()
    with LmlClient(config(), capture=capture) as client:
        long = [item.model_copy(update={"album_title": "€" * 200}) for item in libraries(500)]
        client.bulk_resolve_libraries(long)
    capture.close(DRAIN_TIMEOUT_S)
    sent = lml.seen[0].body
    (row,) = io_log.rows()
    stored = row["request_body"].encode()
    assert len(sent) > CAP >= len(stored) > CAP - 3
    assert sent.startswith(stored)
    assert len(lml.seen[0].json["inputs"]) == 500
    assert row["request_truncated"]
    ((_, message, fields),) = io_log.warnings
    assert "iolog: request body truncated for capture" in message
    assert f"({len(sent)} \N{RIGHTWARDS ARROW} {CAP} bytes)" in message
    assert row["request_id"] in message
    assert fields == {"request_id": row["request_id"], "original_bytes": len(sent), "cap_bytes": CAP}


def test_a_body_of_exactly_the_cap_is_whole_and_not_warned_of(io_log):
    capture = io_log.capture()
    capture.offer(CapturedRequest("r", "bulk_lookup", b"x" * CAP))
    assert capture.close(DRAIN_TIMEOUT_S) == 0
    assert [(len(row["request_body"]), row["request_truncated"]) for row in io_log.rows()] == [(CAP, False)]
    assert io_log.warnings == []


def test_a_body_that_is_not_sampled_is_not_warned_of(io_log):
    capture = io_log.capture(0.25)  # req-1 falls at 0.99
    capture.offer(CapturedRequest("req-1", "bulk_lookup", b"x" * (CAP + 1)))
    capture.close(DRAIN_TIMEOUT_S)
    assert (io_log.rows(), io_log.warnings) == ([], [])


def test_a_database_that_is_down_costs_rows_and_no_calls(lml, config, io_log):
    """Each lost insert is warned of, and at the end their sum."""
    capture = io_log.capture(connect=refuse)
    with LmlClient(config(), capture=capture) as client:
        for _ in range(3):
            assert client.bulk_resolve_libraries(libraries()).calls == 1
    assert capture.close(DRAIN_TIMEOUT_S) == 3
    assert io_log.steps == ["iolog_insert_failed"] * 3 + ["iolog_lost"]
    assert "hunter2" not in str(io_log.warnings)


def test_a_database_that_hangs_delays_neither_calls_nor_the_end(lml, config, io_log):
    """The calls and ``close`` return while the connection is still being opened."""
    opening, release = threading.Event(), threading.Event()

    def hang():
        opening.set()
        release.wait(DRAIN_TIMEOUT_S)
        return refuse()

    capture = io_log.capture(connect=hang)
    try:
        with LmlClient(config(), capture=capture) as client:
            for _ in range(5):
                client.bulk_resolve_libraries(libraries())
        assert capture.close(timeout_s=0.2) == 5
        assert opening.is_set()
        assert io_log.steps == ["iolog_lost"]
    finally:
        release.set()
    assert "5 of 5" in io_log.warnings[0][1]


def test_a_full_queue_is_warned_of_at_powers_of_two(io_log):
    opening, release = threading.Event(), threading.Event()

    def later():
        opening.set()
        release.wait(DRAIN_TIMEOUT_S)
        return io_log.connect()

    capture = io_log.capture(connect=later, queue_rows=4)
    capture.offer(CapturedRequest("r0", "x", b"{}"))
    assert opening.wait(DRAIN_TIMEOUT_S)  # the thread holds r0
    for i in range(1, 15):
        capture.offer(CapturedRequest(f"r{i}", "x", b"{}"))
    release.set()
    assert capture.close(DRAIN_TIMEOUT_S) == 10
    assert io_log.request_ids() == ["r0", "r1", "r2", "r3", "r4"]
    assert [fields["dropped"] for step, _, fields in io_log.warnings if step == "iolog_dropped"] == [1, 2, 4, 8]


def test_a_request_after_close_is_dropped_with_a_warning(io_log):
    capture = io_log.capture()
    assert capture.close() == 0
    capture.offer(CapturedRequest("late", "x", b"{}"))
    assert io_log.steps == ["iolog_dropped"]


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan")])
def test_a_rate_that_is_no_share_is_refused(io_log, rate):
    with pytest.raises(ValueError, match="LML_CAPTURE_SAMPLE_RATE"):
        io_log.capture(rate)


def test_off_means_no_thread_and_no_connection(io_log):
    before = set(threading.enumerate())
    capture = io_log.capture(0, connect=refuse)
    capture.offer(CapturedRequest("r", "x", b"{}"))
    assert [thread.name for thread in set(threading.enumerate()) - before] == []
    assert capture.close() == 0
