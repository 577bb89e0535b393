"""Every try is reserved from the budget first, and settled to what LML used."""

import pytest

from resources.lml.endpoints import BULK_LOOKUP, HEALTH, REFRESH
from resources.lml.errors import (
    LmlUnavailable,
)
from resources.lml.models import Health
from tests.resources.lml.executor_calls import call, failure
from tests.resources.lml.fakes import FakeBudget, FakeClock
from tests.resources.lml.loopback import answer, stats


def test_every_try_is_reserved_first_and_waits_its_turn(lml, make):
    """After each wait the executor looks whether LML asked for a break meanwhile."""
    budget, clock = FakeBudget(0.25, 0.5), FakeClock()
    lml.plays = [answer({}, 500), answer({"results": []})]
    call(make({"budget": budget, "wait": clock.sleep}))
    assert budget.events == [("reserve", 0.0), ("check",)] * 2
    assert clock.slept == [0.25, 0.5]


def test_an_answer_settles_to_the_calls_that_lml_reports(lml, make):
    budget = FakeBudget()
    lml.plays = [answer({"results": [], "cache_stats": stats(2)})]
    call(make({"budget": budget}), BULK_LOOKUP, cost=5.0)
    assert budget.events == [("reserve", 5.0), ("settle", 5.0, 2)]


def test_retry_after_blocks_the_budget(lml, make, clock):
    budget = FakeBudget()
    lml.plays = [answer({}, 429, Retry_After="17")]
    call(make({"budget": budget}))
    assert ("block", 17.0) in budget.events


def test_a_breaker_that_opens_during_the_wait_frees_the_reserved(lml, make):
    class Slow(FakeBudget):
        def reserve(self, cost: float) -> float:
            if cost:
                failure(executor)  # a call of another thread fails meanwhile
            return super().reserve(cost)

    budget = Slow()
    lml.always = answer({}, 500)
    executor = make({"budget": budget}, attempts=1, breaker_threshold=1)
    assert isinstance(failure(executor, REFRESH, cost=4.0), LmlUnavailable)
    assert budget.events == [("reserve", 0.0), ("reserve", 4.0), ("settle", 4.0, 0.0)]
    assert len(lml.seen) == 1


def test_a_call_that_is_late_reserves_again(lml, make):
    """The pause is while the call waits for its start time: behind the reservation, before the call."""
    budget, clock = FakeBudget(), FakeClock()
    executor = make({"budget": budget, "wait": clock.sleep, "clock": clock}, min_interval_s=40)
    call(executor, cost=4.0)
    call(executor, cost=4.0)
    reserved, settled = ("reserve", 4.0), ("settle", 4.0, 0.0)
    assert budget.events == [reserved, settled, reserved, settled, reserved, settled]
    assert len(lml.seen) == 2


def test_a_call_that_would_be_refused_reserves_nothing(lml, make):
    budget = FakeBudget()
    lml.always = answer({}, 500)
    executor = make({"budget": budget}, attempts=1, breaker_threshold=1)
    failure(executor)
    budget.events.clear()
    assert isinstance(failure(executor, REFRESH, cost=4.0), LmlUnavailable)
    assert budget.events == []


def test_without_a_reservation_no_call_is_made(lml, make):
    class Broken(FakeBudget):
        def reserve(self, cost: float) -> float:  # noqa: ARG002 - a Budget
            raise ConnectionError("the database is gone")

    with pytest.raises(ConnectionError):
        call(make({"budget": Broken()}))
    assert lml.seen == []


def test_health_is_not_reserved(lml, make):
    budget = FakeBudget(60)
    lml.plays = [answer({"status": "healthy"})]
    call(make({"budget": budget}), HEALTH, model=Health)
    assert budget.events == []
