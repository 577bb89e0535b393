"""One call from its first try to its last: retries, the throttle, many threads.

Time is a fake clock where a rule is about time: the tests compare the waits that the executor asked for.
"""

import threading
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from resources.budget import PostgresBudget
from resources.lml.endpoints import REFRESH
from resources.lml.errors import (
    LmlAuthError,
    LmlBrokenAnswer,
    LmlRateLimited,
    LmlRequestError,
    LmlServerError,
    LmlTimeout,
    LmlUnavailable,
    LmlUnreachable,
)
from tests.resources.lml.executor_calls import EMPTY, GIVE_UP_S, call, failure, in_threads, scripted
from tests.resources.lml.fakes import FakeBudget, FakeClock
from tests.resources.lml.loopback import Play, answer, cut_short, hang_up, reply
from tests.waiting import wait_for

# Tries


def test_tries_of_one_call_are_equal_and_share_a_request_id(lml, make):
    lml.plays = [answer({}, 500), hang_up, reply(200, b"<html>"), answer({"results": [1]})]
    got = call(make(attempts=4))
    assert (got.results, got.calls, got.http_status) == ([1], 4, 200)
    assert len({seen.headers["x-request-id"] for seen in lml.seen}) == 1
    assert len({seen.body for seen in lml.seen}) == 1


def test_two_calls_have_two_request_ids(lml, make):
    executor = make()
    call(executor)
    call(executor)
    assert len({seen.headers["x-request-id"] for seen in lml.seen}) == 2


@pytest.mark.parametrize(
    ("play", "kind", "calls"),
    [
        (answer({}, 400), LmlRequestError, 1),
        (answer({}, 401), LmlAuthError, 1),
        (answer({}, 403), LmlAuthError, 1),
        (answer({}, 413), LmlRequestError, 1),
        (answer({}, 422), LmlRequestError, 1),
        (answer({}, 302, Location="/elsewhere"), LmlBrokenAnswer, 1),
        (answer({"results": 3}), LmlBrokenAnswer, 1),
        (reply(200, b"{" + b" " * 5000), LmlBrokenAnswer, 1),
        (answer({}, 429), LmlRateLimited, 3),
        (answer({}, 500), LmlServerError, 3),
        (answer({}, 503), LmlServerError, 3),
        (reply(200, b"<html>"), LmlBrokenAnswer, 3),
        (hang_up, LmlUnreachable, 3),
        (cut_short, LmlUnreachable, 3),
    ],
)
def test_a_failure_is_typed_and_retried_only_where_that_can_help(lml, make, play: Play, kind, calls):
    lml.always = play
    error = failure(make(max_answer_bytes=4000))
    assert type(error) is kind
    assert (error.calls, error.called, len(lml.seen)) == (calls, True, calls)
    assert error.latency_ms > 0
    assert error.retryable is (calls > 1)


def test_a_timeout_is_typed_and_retried(make):
    """A late answer over real sockets is in test_transport.py."""
    late = scripted(httpx.ReadTimeout(""), httpx.ConnectTimeout(""), httpx.WriteTimeout(""))
    error = failure(make({"transport": late}))
    assert (type(error), error.calls, error.called, error.retryable) == (LmlTimeout, 3, True, True)


def test_retry_after_is_honoured_and_bounded(lml, make, clock):
    lml.plays = [answer({}, 429, Retry_After="17"), answer({}, 503, Retry_After="3600")]
    call(make(retry_after_max_s=30))
    assert clock.slept == [17, 30]


def test_retry_after_0_waits_for_the_initial_backoff(lml, make, clock):
    lml.always = answer({}, 503, Retry_After="0")
    failure(make(backoff_initial_s=0.25, retry_after_max_s=30))
    assert clock.slept == [0.25, 0.25]


def test_without_retry_after_the_backoff_doubles_up_to_its_bound(lml, make, clock):
    lml.always = answer({}, 500)
    failure(make(attempts=5, breaker_threshold=9, backoff_initial_s=1, backoff_max_s=5, backoff_jitter_s=0))
    assert clock.slept == [1, 2, 4, 5]


def test_latency_counts_the_tries_and_not_the_waits_between_them(make, clock):
    replies = iter([httpx.Response(503, headers={"Retry-After": "9"}), EMPTY])

    def take_50_ms(_: httpx.Request) -> httpx.Response:
        clock.now += 0.05
        return next(replies)

    got = call(make({"transport": httpx.MockTransport(take_50_ms), "clock": clock}, retry_after_max_s=30))
    assert got.latency_ms == pytest.approx(100)
    assert clock.slept == [9]


# Many threads


def test_calls_of_many_threads_overlap_up_to_the_bound(make):
    """The four calls in flight answer only once they have met: fewer break the barrier, more are counted."""
    four_in_flight, lock, in_flight, most = threading.Barrier(4), threading.Lock(), [0], [0]

    def meet(_: httpx.Request) -> httpx.Response:
        with lock:
            in_flight[0] += 1
            most[0] = max(most[0], in_flight[0])
        four_in_flight.wait(GIVE_UP_S)
        with lock:
            in_flight[0] -= 1
        return httpx.Response(200, json={"results": []})

    executor = make({"transport": httpx.MockTransport(meet)}, max_in_flight=4)
    outcomes = in_threads(12, lambda: call(executor))
    assert [outcome.results for outcome in outcomes] == [[]] * 12
    assert most == [4]


def test_starts_are_spaced_across_threads(lml, make):
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(round(seconds, 6))
        return False

    executor = make({"wait": wait, "clock": FakeClock()}, min_interval_s=0.05)
    in_threads(5, lambda: call(executor))
    assert sorted(waits) == [0.05, 0.1, 0.15, 0.2]
    assert len(lml.seen) == 5


def test_each_thread_gets_the_answer_to_its_own_call(lml, make):
    def echo(handler: Any) -> None:
        request_id = handler.headers["X-Request-Id"]
        (asked,) = [seen.json for seen in lml.seen if seen.headers["x-request-id"] == request_id]
        answer({"results": [asked["number"]]})(handler)

    lml.always = echo
    executor, numbers = make(), iter(range(12))
    answers = {}

    def ask() -> None:
        number = next(numbers)
        answers[number] = call(executor, body=b'{"number": %d}' % number).results

    in_threads(12, ask)
    assert answers == {number: [number] for number in range(12)}


# Close


def test_close_releases_the_reservation_of_a_queued_call(lml, make, station):
    def state() -> tuple[datetime, float]:
        with station.connect() as connection:
            row = connection.execute(
                "SELECT tat, (SELECT sum(cost) FROM unnest(recent_cost) AS cost) FROM wxyc_assets.budget"
            ).fetchone()
        assert row is not None
        return row[0], row[1]

    ours, theirs = (PostgresBudget(station.open, per_minute=1) for _ in range(2))
    try:
        theirs.reserve(1)
        before = state()
        executor = make({"budget": ours})
        queued = threading.Thread(target=lambda: failure(executor, REFRESH, cost=1.0))
        queued.start()
        wait_for(lambda: state()[1] == 2, "reservation of the queued call", GIVE_UP_S)
        executor.close()
        queued.join(GIVE_UP_S)
        assert not queued.is_alive()
        (freed_at, reserved), (free_at, only_theirs) = state(), before
        assert reserved == only_theirs == 1
        assert freed_at - free_at < timedelta(seconds=1)  # a reservation takes 60 s at this rate
        assert not lml.seen
    finally:
        ours.close()
        theirs.close()


def test_a_closed_executor_makes_no_call(lml, make):
    executor = make()
    executor.close()
    error = failure(executor)
    assert (type(error), error.called) == (LmlUnavailable, False)
    assert "closed" in str(error)
    assert not lml.seen


def test_the_queue_depth_counts_calls_that_wait_for_the_budget(make):
    waiting, go_on = threading.Event(), threading.Event()

    def wait(_: float) -> bool:
        waiting.set()
        return go_on.wait(GIVE_UP_S)

    executor = make({"budget": FakeBudget(5), "wait": wait})
    thread = threading.Thread(target=lambda: call(executor))
    thread.start()
    assert waiting.wait(GIVE_UP_S)
    assert executor.queue_depth == 1
    go_on.set()
    thread.join(GIVE_UP_S)
    assert executor.queue_depth == 0
