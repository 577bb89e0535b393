"""How a call is paid for."""

import pytest

from resources.lml.booking import Bookings
from resources.lml.errors import LmlRateLimited, LmlRequestError, LmlServerError, LmlTimeout, LmlUnreachable


class Purse:
    """A budget that remembers, and answers what it is told to, in that order and then 0."""

    def __init__(self, *waits_s: float) -> None:
        self.waits_s = list(waits_s)
        self.events: list[tuple] = []

    def reserve(self, cost: float) -> float:
        self.events.append(("reserve", cost))
        return self.waits_s.pop(0) if self.waits_s else 0.0

    def penalise(self, seconds: float) -> None:
        self.events.append(("penalise", seconds))

    def settle(self, reserved: float, used: float) -> None:
        self.events.append(("settle", reserved, used))


@pytest.fixture
def purse() -> Purse:
    return Purse()


@pytest.fixture
def bookings(purse) -> Bookings:
    return Bookings(purse, penalty_max_s=300, pause=lambda _: False)


def test_a_booking_waits_as_long_as_the_budget_says():
    slept = []
    Bookings(Purse(2.5), penalty_max_s=300, pause=slept.append).book(1)
    assert slept == [2.5]


def test_a_place_that_lml_made_stale_while_it_was_waited_for_is_given_up_for_another_behind_the_penalty():
    purse, slept = Purse(3, 60, 61, 0), []
    Bookings(purse, penalty_max_s=300, pause=slept.append).book(5)
    assert slept == [3, 61]
    assert purse.events == [("reserve", 5), ("reserve", 0), ("settle", 5, 0), ("reserve", 5), ("reserve", 0)]


def test_a_wait_that_is_cut_short_reserves_nothing_more():
    purse = Purse(3, 60, 61, 62)
    Bookings(purse, penalty_max_s=300, pause=lambda _: True).book(5)
    assert purse.events == [("reserve", 5)]


def test_a_wait_that_a_person_interrupts_gives_its_place_back():
    def interrupt(_):
        raise KeyboardInterrupt

    purse = Purse(3)
    with pytest.raises(KeyboardInterrupt):
        Bookings(purse, penalty_max_s=300, pause=interrupt).book(5)
    assert purse.events == [("reserve", 5), ("settle", 5, 0)]


def test_a_call_that_costs_nothing_is_booked_too_because_a_penalty_is_for_everybody(bookings, purse):
    bookings.book(0)
    assert purse.events == [("reserve", 0)]


def test_what_was_not_used_is_settled_and_what_was_is_left_alone(bookings, purse):
    bookings.answered(10, elapsed_s=0.01, api_calls=3)
    bookings.answered(10, elapsed_s=60, api_calls=None)
    bookings.answered(0, elapsed_s=0.01, api_calls=0)
    bookings.give_back(10)
    assert purse.events == [("settle", 10, 3), ("settle", 10, 0)]


def test_a_timeout_costs_all_that_was_booked_because_lml_works_on(bookings, purse):
    bookings.failed(10, elapsed_s=0.01, error=LmlTimeout("late"))
    assert purse.events == []
    bookings.failed(10, elapsed_s=0.01, error=LmlUnreachable("gone"))
    assert purse.events == [("settle", 10, 0)]


@pytest.mark.parametrize(
    ("error", "penalties"),
    [
        (LmlRateLimited("", status=429, retry_after_s=12), [("penalise", 12)]),
        (LmlServerError("", status=503, retry_after_s=12), [("penalise", 12)]),
        (LmlRateLimited("", status=429, retry_after_s=86_400), [("penalise", 300)]),
        (LmlRateLimited("", status=429), []),
        (LmlServerError("", status=500, retry_after_s=12), []),
        (LmlRequestError("", status=422), []),
    ],
)
def test_everybody_is_pushed_back_when_lml_says_for_how_long(bookings, purse, error, penalties):
    bookings.failed(0, elapsed_s=0, error=error)
    assert purse.events == penalties
