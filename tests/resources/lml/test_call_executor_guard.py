"""The executor makes no call while the breaker is open or after LML refused the key."""

import threading
from typing import Any

import httpx
import pytest

from resources.lml.endpoints import HEALTH, REFRESH
from resources.lml.errors import (
    LmlAuthError,
    LmlError,
    LmlServerError,
    LmlUnavailable,
)
from resources.lml.models import BulkResolveAnswer, Health
from tests.resources.lml.executor_calls import EMPTY, GIVE_UP_S, call, failure, in_threads, scripted
from tests.resources.lml.loopback import answer


def test_after_five_failures_in_a_row_no_call_is_made(lml, make):
    lml.always = answer({}, 500)
    executor = make(attempts=1)
    for _ in range(5):
        assert isinstance(failure(executor), LmlServerError)
    refused = failure(executor, REFRESH)
    assert isinstance(refused, LmlUnavailable)
    assert (refused.called, refused.calls, refused.latency_ms, refused.retryable) == (False, 0, 0, True)
    assert len(lml.seen) == 5


def test_retries_stop_as_soon_as_the_breaker_opens(lml, make):
    lml.always = answer({}, 500)
    error = failure(make(attempts=10, breaker_threshold=2))
    assert (type(error), error.calls, len(lml.seen)) == (LmlServerError, 2, 2)


def test_health_passes_an_open_breaker_and_does_not_close_it(lml, make):
    lml.plays = [answer({}, 500), answer({"status": "healthy"})]
    executor = make(attempts=1, breaker_threshold=1)
    failure(executor)
    assert call(executor, HEALTH, model=Health).status == "healthy"
    assert isinstance(failure(executor), LmlUnavailable)


def test_a_refused_request_is_no_failure_of_lml(lml, make):
    executor = make(attempts=1, breaker_threshold=2)
    lml.plays = [answer({}, 500), answer({}, 422), answer({}, 500), answer({"results": []})]
    for _ in range(3):
        failure(executor)
    assert call(executor).results == []


def test_when_the_breaker_may_close_one_probe_decides(lml, make, clock):
    """LML answers the probe only after the five other calls have their outcome."""
    others_refused = threading.Event()
    outcomes: list[Any] = []

    def answer_last(handler: Any) -> None:
        others_refused.wait(GIVE_UP_S)
        answer({"results": []})(handler)

    def one_of_six() -> None:
        try:
            outcomes.append(call(executor))
        except LmlError as error:
            outcomes.append(error)
        if len(outcomes) == 5:
            others_refused.set()

    lml.plays = [answer({}, 500), answer_last]
    executor = make({"clock": clock}, attempts=1, breaker_threshold=1, breaker_open_s=30)
    failure(executor)
    clock.now += 30
    in_threads(6, one_of_six)
    assert [type(outcome) for outcome in outcomes] == [LmlUnavailable] * 5 + [BulkResolveAnswer]
    assert call(executor).results == []


def test_an_interrupted_probe_does_not_block_the_next_call(make):
    transport = scripted(httpx.Response(500), KeyboardInterrupt(), EMPTY)
    executor = make({"transport": transport}, attempts=1, breaker_threshold=1, breaker_open_s=0)
    failure(executor)
    with pytest.raises(KeyboardInterrupt):
        call(executor)
    assert call(executor).results == []


def test_a_refused_key_is_never_tried_again(lml, make):
    lml.plays = [answer({}, 401)]
    executor = make()
    failure(executor)
    error = failure(executor, REFRESH)
    assert (type(error), error.status, error.called) == (LmlAuthError, 401, False)
    assert len(lml.seen) == 1
