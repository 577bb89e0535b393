"""When the circuit breaker opens, and which calls it admits afterwards."""

import threading

import pytest

from resources.lml.breaker import Breaker, BreakerState
from tests.resources.lml.fakes import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def breaker(clock) -> Breaker:
    return Breaker(threshold=3, open_s=30, clock=clock)


def admitted(breaker: Breaker) -> int:
    ticket = breaker.admit()
    assert ticket is not None
    return ticket


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.record_failure(admitted(breaker))


def test_opens_at_the_threshold_and_not_before(breaker):
    fail(breaker, 2)
    assert not breaker.refuses()
    fail(breaker, 1)
    assert breaker.refuses()
    assert breaker.admit() is None


def test_any_other_outcome_ends_the_streak(breaker):
    fail(breaker, 2)
    breaker.record_success(admitted(breaker))
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
    breaker.record_success(admitted(breaker))
    fail(breaker, 2)
    assert breaker.state is BreakerState.CLOSED


def test_an_interrupted_probe_lets_the_next_call_be_the_probe(breaker, clock):
    fail(breaker, 3)
    clock.now += 30
    breaker.record_abandoned(admitted(breaker))
    assert breaker.admit() is not None


@pytest.mark.parametrize("late", [Breaker.record_success, Breaker.record_failure, Breaker.record_abandoned])
def test_calls_admitted_before_it_opened_do_not_decide_the_probe(breaker, clock, late):
    straggler = admitted(breaker)
    fail(breaker, 3)
    clock.now += 30
    probe = admitted(breaker)
    late(breaker, straggler)
    undecided = breaker.state
    breaker.record_success(probe)
    assert (undecided, breaker.state) == (BreakerState.HALF_OPEN, BreakerState.CLOSED)
