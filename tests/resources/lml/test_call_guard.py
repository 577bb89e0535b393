"""Which calls the guard refuses: after a refused key, and while the circuit breaker is open."""

import pytest

from resources.lml.call_guard import CallGuard
from resources.lml.errors import (
    LmlAuthError,
    LmlBrokenAnswer,
    LmlError,
    LmlRateLimited,
    LmlRequestError,
    LmlServerError,
    LmlTimeout,
    LmlUnavailable,
    LmlUnreachable,
)
from tests.resources.lml.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def guard(clock) -> CallGuard:
    return CallGuard(threshold=2, open_s=30, clock=clock)


def refusal(call) -> LmlError:
    with pytest.raises(LmlError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    ("error", "opens"),
    [
        (LmlTimeout("late"), True),
        (LmlUnreachable("gone"), True),
        (LmlServerError("", status=500), True),
        (LmlRateLimited("", status=429), False),
        (LmlRequestError("", status=422), False),
        (LmlBrokenAnswer("", retryable=True), False),
    ],
)
def test_only_failures_of_lml_open_the_breaker(guard, error, opens):
    for _ in range(2):
        guard.record_failure(guard.admit(), error)
    assert guard.breaker_refuses() is opens


def test_an_open_breaker_refuses_without_a_call(guard):
    for _ in range(2):
        guard.record_failure(guard.admit(), LmlServerError("", status=500))
    for refused in (refusal(guard.check), refusal(guard.admit)):
        assert type(refused) is LmlUnavailable
        assert (refused.called, refused.retryable) == (False, True)
        assert "2 times in a row" in str(refused)


def test_any_other_error_ends_the_streak_of_failures(guard):
    guard.record_failure(guard.admit(), LmlServerError("", status=500))
    guard.record_failure(guard.admit(), LmlRequestError("", status=422))
    guard.record_failure(guard.admit(), LmlServerError("", status=500))
    assert not guard.breaker_refuses()


def test_after_the_open_time_one_call_passes(guard, clock):
    for _ in range(2):
        guard.record_failure(guard.admit(), LmlTimeout("late"))
    clock.now += 30
    probe = guard.admit()
    assert isinstance(refusal(guard.admit), LmlUnavailable)
    guard.record_answer(probe)
    guard.check()


def test_an_interrupted_probe_makes_room_for_the_next(guard, clock):
    for _ in range(2):
        guard.record_failure(guard.admit(), LmlTimeout("late"))
    clock.now += 30
    guard.record_abandoned(guard.admit())
    guard.record_answer(guard.admit())
    guard.check()


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_refuses_every_later_call(guard, clock, status):
    guard.record_failure(guard.admit(), LmlAuthError("", status=status))
    clock.now += 10_000
    for refused in (refusal(guard.check), refusal(guard.admit)):
        assert type(refused) is LmlAuthError
        assert (refused.status, refused.called, refused.retryable) == (status, False, False)
    assert not guard.breaker_refuses()
