"""Owns how a call is paid for: booked before it is made, settled once it is over."""

from collections.abc import Callable
from typing import Protocol

from resources.lml.endpoints import discogs_calls_used
from resources.lml.errors import LmlError, LmlTimeout

PUSH_BACK_STATUSES = frozenset({429, 503})


class Budget(Protocol):
    """The station's shared allowance of Discogs calls. An error of ``reserve`` means that no call is made."""

    def reserve(self, cost: float, /) -> float:
        """Book ``cost`` calls and return the seconds to wait before making them. Cost 0 still waits out a penalty."""

    def penalise(self, seconds: float, /) -> None:
        """Push everybody back: LML asked to be left alone for so long."""

    def settle(self, reserved: float, used: float, /) -> None:
        """Correct a booking once its call is over; ``used`` may be less or more than ``reserved``."""


class Bookings:
    """Books tries with a budget, or with nobody if there is none.

    ``pause`` waits for some seconds and says whether it was cut short, because nobody wants the call any more.
    """

    def __init__(self, budget: Budget | None, *, penalty_max_s: float, pause: Callable[[float], bool]) -> None:
        self._budget = budget
        self._penalty_max_s = penalty_max_s
        self._pause = pause

    def book(self, cost: float) -> None:
        """Reserve one try and wait until it may be made.

        If LML asked to be left alone meanwhile, the place that was waited for is stale: many callers would come at once when
        that ends. So another is reserved.
        """
        if not self._budget:
            return
        while (wait_s := self._budget.reserve(cost)) > 0:
            try:
                cut_short = self._pause(wait_s)
            except BaseException:  # a person's Ctrl-C
                self.give_back(cost)
                raise
            if cut_short or self._budget.reserve(0) <= 0:
                return
            self.give_back(cost)

    def give_back(self, cost: float) -> None:
        """Settle a try that was not made."""
        self._settle(cost, 0.0)

    def answered(self, cost: float, *, elapsed_s: float, api_calls: float | None) -> None:
        """Settle a try that brought an answer; ``api_calls`` is what LML says that it cost."""
        self._settle(cost, discogs_calls_used(cost, elapsed_s, api_calls))

    def failed(self, cost: float, *, elapsed_s: float, error: LmlError) -> None:
        """Settle a try that failed, and push everybody back if LML asked for it."""
        # LML goes on working after a caller has hung up, so a timeout costs all that was booked.
        self._settle(cost, cost if isinstance(error, LmlTimeout) else discogs_calls_used(cost, elapsed_s, None))
        if self._budget and error.retry_after_s and error.status in PUSH_BACK_STATUSES:
            self._budget.penalise(min(error.retry_after_s, self._penalty_max_s))

    def _settle(self, reserved: float, used: float) -> None:
        if self._budget and used != reserved:
            self._budget.settle(reserved, used)
