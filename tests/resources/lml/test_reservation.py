"""The reservation of a call's Discogs calls, from before the call until after it."""

import pytest

from resources.budget import LATE_S
from resources.lml.errors import (
    LmlError,
    LmlRateLimited,
    LmlRequestError,
    LmlServerError,
    LmlTimeout,
    LmlUnavailable,
    LmlUnreachable,
)
from resources.lml.reservation import LATE_MAX, Reservations
from tests.resources.lml.fakes import FakeBudget, FakeClock


@pytest.fixture
def budget() -> FakeBudget:
    return FakeBudget()


@pytest.fixture
def reservations(budget) -> Reservations:
    return Reservations(budget, block_max_s=300, wait=lambda _: False)


def test_a_reservation_waits_as_long_as_the_budget_says():
    clock = FakeClock()
    Reservations(FakeBudget(2.5), block_max_s=300, wait=clock.sleep).acquire(1)
    assert clock.slept == [2.5]


def test_a_reservation_that_a_block_made_stale_is_replaced():
    """LML asks for a break during the wait: the reservation is released, and a new one is made behind the break."""
    budget, clock = FakeBudget(3, 61, states=[(60, 0)]), FakeClock()
    Reservations(budget, block_max_s=300, wait=clock.sleep).acquire(5)
    assert clock.slept == [3, 61]
    assert budget.events == [("reserve", 5), ("check",), ("settle", 5, 0), ("reserve", 5), ("check",)]


def test_a_wait_that_ended_late_reserves_again():
    """By the database's clock: a paused virtual machine's own clocks stand still."""
    budget, clock = FakeBudget(3, 7, states=[(0, LATE_S + 0.001), (0, LATE_S)]), FakeClock()
    Reservations(budget, block_max_s=300, wait=clock.sleep).acquire(5)
    assert clock.slept == [3, 7]
    assert budget.events == [("reserve", 5), ("check",), ("settle", 5, 0), ("reserve", 5), ("check",)]


@pytest.mark.parametrize(("pause_s", "again"), [(LATE_S, []), (LATE_S + 0.001, [("settle", 5, 0), ("reserve", 5)])])
def test_a_pause_before_the_call_reserves_again(pause_s, again):
    """At ``LATE_S`` the call may still be made, above it not."""
    budget, clock = FakeBudget(), FakeClock()
    reservations = Reservations(budget, block_max_s=300, wait=clock.sleep, clock=clock)
    reservations.acquire(5)
    clock.now += pause_s
    reservations.renew(5)
    assert budget.events == [("reserve", 5), *again]


def test_a_pause_while_the_database_answers_reserves_again():
    class Slow(FakeBudget):
        def reserve(self, cost: float) -> float:
            clock.now += 0 if self.events else 40
            return super().reserve(cost)

    budget, clock = Slow(), FakeClock()
    reservations = Reservations(budget, block_max_s=300, wait=clock.sleep, clock=clock)
    reservations.acquire(5)
    reservations.renew(5)
    assert budget.events == [("reserve", 5), ("settle", 5, 0), ("reserve", 5)]


def test_a_call_of_cost_0_is_never_late():
    budget, clock = FakeBudget(), FakeClock()
    reservations = Reservations(budget, block_max_s=300, wait=clock.sleep, clock=clock)
    reservations.acquire(0)
    clock.now += 3600
    reservations.renew(0)
    assert budget.events == [("reserve", 0)]


def test_a_process_that_is_always_late_makes_no_call():
    class Slow(FakeBudget):
        def reserve(self, cost: float) -> float:
            clock.now += 1
            return super().reserve(cost)

    budget, clock = Slow(), FakeClock()
    reservations = Reservations(budget, block_max_s=300, wait=clock.sleep, clock=clock)
    reservations.acquire(5)
    with pytest.raises(LmlUnavailable, match=r"20 times in a row .* overloaded"):
        reservations.renew(5)
    assert budget.events == [("reserve", 5), ("settle", 5, 0)] * LATE_MAX


def test_a_renewal_that_close_ends_waits_no_more():
    budget, clock = FakeBudget(0, 60), FakeClock()
    reservations = Reservations(budget, block_max_s=300, wait=lambda _: True, clock=clock)
    reservations.acquire(5)
    clock.now += 60
    reservations.renew(5)
    assert budget.events == [("reserve", 5), ("settle", 5, 0), ("reserve", 5)]


def test_a_wait_is_announced_before_it_begins():
    announced: list[object] = []

    def wait(_: float) -> bool:
        announced.append("waits")
        return False

    Reservations(FakeBudget(2.5, 0), block_max_s=300, wait=wait, on_wait=announced.append).acquire(1)
    assert announced == [2.5, "waits"]


def test_a_wait_that_close_ends_reserves_no_more():
    budget = FakeBudget(3, 60, 61, 62)
    Reservations(budget, block_max_s=300, wait=lambda _: True).acquire(5)
    assert budget.events == [("reserve", 5)]


def test_a_wait_that_ctrl_c_interrupts_releases_its_reservation():
    def interrupt(_: float) -> bool:
        raise KeyboardInterrupt

    budget = FakeBudget(3)
    with pytest.raises(KeyboardInterrupt):
        Reservations(budget, block_max_s=300, wait=interrupt).acquire(5)
    assert budget.events == [("reserve", 5), ("settle", 5, 0)]


def test_a_call_of_cost_0_reserves_too_because_a_block_binds_it(reservations, budget):
    reservations.acquire(0)
    assert budget.events == [("reserve", 0)]


def test_only_a_difference_is_settled(reservations, budget):
    reservations.settle_answer(10, elapsed_s=0.01, api_calls=3)
    reservations.settle_answer(10, elapsed_s=60, api_calls=None)
    reservations.settle_answer(0, elapsed_s=0.01, api_calls=0)
    reservations.release(10)
    assert budget.events == [("settle", 10, 3), ("settle", 10, 0)]


def test_a_timeout_costs_all_that_was_reserved(reservations, budget):
    """LML goes on working after the caller has hung up."""
    reservations.settle_failure(10, elapsed_s=0.01, error=LmlTimeout("late"))
    assert budget.events == []
    reservations.settle_failure(10, elapsed_s=0.01, error=LmlUnreachable("gone"))
    assert budget.events == [("settle", 10, 0)]


@pytest.mark.parametrize(
    ("error", "blocks"),
    [
        (LmlRateLimited("", status=429, retry_after_s=12), [("block", 12)]),
        (LmlServerError("", status=503, retry_after_s=12), [("block", 12)]),
        (LmlRateLimited("", status=429, retry_after_s=86_400), [("block", 300)]),
        (LmlRateLimited("", status=429), []),
        (LmlServerError("", status=500, retry_after_s=12), []),
        (LmlRequestError("", status=422), []),
    ],
)
def test_a_429_or_503_with_retry_after_blocks_the_budget(reservations, budget, error: LmlError, blocks):
    reservations.settle_failure(0, elapsed_s=0, error=error)
    assert budget.events == blocks


def test_without_a_budget_nothing_is_reserved_and_nothing_waits():
    clock = FakeClock()
    reservations = Reservations(None, block_max_s=300, wait=clock.sleep)
    reservations.acquire(5)
    reservations.settle_answer(5, elapsed_s=0, api_calls=9)
    reservations.settle_failure(5, elapsed_s=0, error=LmlRateLimited("", status=429, retry_after_s=12))
    assert clock.slept == []
