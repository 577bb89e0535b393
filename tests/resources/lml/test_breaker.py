"""When LML is left alone, and who may ask it again."""

import threading

import pytest

from resources.lml.breaker import Breaker, BreakerState


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock) -> Breaker:
    return Breaker(threshold=3, open_s=30, clock=clock)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.failure(breaker.admit())


def test_opens_at_the_threshold_and_not_before(breaker):
    fail(breaker, 2)
    assert not breaker.refuses()
    fail(breaker, 1)
    assert breaker.refuses()
    assert breaker.admit() is None


def test_any_other_outcome_ends_the_streak(breaker):
    fail(breaker, 2)
    breaker.success(breaker.admit())
    fail(breaker, 2)
    assert breaker.state is BreakerState.CLOSED


def test_refuses_for_exactly_as_long_as_it_says(breaker, clock):
    fail(breaker, 3)
    clock.now += 29.999
    assert breaker.admit() is None
    clock.now += 0.001
    assert breaker.admit() is not None


def test_half_open_admits_exactly_one_of_many_threads(breaker, clock):
    fail(breaker, 3)
    clock.now += 30
    tickets = []
    start = threading.Barrier(16)

    def ask():
        start.wait()
        tickets.append(breaker.admit())

    threads = [threading.Thread(target=ask) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(ticket is not None for ticket in tickets) == 1


def test_a_failed_probe_reopens_for_the_whole_time(breaker, clock):
    fail(breaker, 3)
    clock.now += 30
    fail(breaker, 1)
    clock.now += 29
    assert breaker.admit() is None
    clock.now += 1
    assert breaker.admit() is not None


def test_a_successful_probe_closes_and_the_streak_starts_anew(breaker, clock):
    fail(breaker, 3)
    clock.now += 30
    breaker.success(breaker.admit())
    fail(breaker, 2)
    assert breaker.state is BreakerState.CLOSED


def test_an_interrupted_probe_lets_the_next_call_be_the_probe(breaker, clock):
    fail(breaker, 3)
    clock.now += 30
    breaker.abandon(breaker.admit())
    assert breaker.admit() is not None


@pytest.mark.parametrize("late", [Breaker.success, Breaker.failure, Breaker.abandon])
def test_calls_that_started_before_it_opened_have_no_say_in_the_probe(breaker, clock, late):
    straggler = breaker.admit()
    fail(breaker, 3)
    clock.now += 30
    probe = breaker.admit()
    late(breaker, straggler)
    assert breaker.state is BreakerState.HALF_OPEN
    breaker.success(probe)
    assert breaker.state is BreakerState.CLOSED
