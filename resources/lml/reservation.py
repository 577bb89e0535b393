"""Reserves the Discogs calls that a call to LML may cause, and settles the reservation once the call is over."""

from collections.abc import Callable
from typing import Protocol

from resources.lml.endpoints import discogs_calls_used
from resources.lml.errors import LmlError, LmlTimeout

BLOCK_STATUSES = frozenset({429, 503})


class Budget(Protocol):
    """The station's shared budget of Discogs calls. If ``reserve`` raises, no call is made."""

    def reserve(self, cost: float, /) -> float:
        """Reserve ``cost`` calls and return the seconds to wait before making them. Cost 0 still waits for a block to end."""

    def block(self, seconds: float, /) -> None:
        """Make every caller wait for this long, because LML asked for it."""

    def settle(self, reserved: float, used: float, /) -> None:
        """Correct a reservation once its call is over; ``used`` may be less or more than ``reserved``."""


class Reservations:
    """Reserves the tries of calls from a budget. Without a budget every method does nothing.

    ``wait`` sleeps for some seconds. It returns True if the client was closed meanwhile: then the call is not made. ``on_wait``
    receives the seconds of each wait before it begins.
    """

    def __init__(
        self,
        budget: Budget | None,
        *,
        block_max_s: float,
        wait: Callable[[float], bool],
        on_wait: Callable[[float], None] | None = None,
    ) -> None:
        self._on_wait = on_wait
        self._budget = budget
        self._block_max_s = block_max_s
        self._wait = wait

    def acquire(self, cost: float) -> None:
        """Reserve one try and wait until it may be made.

        If LML asked for a break during the wait, the reserved instant is stale: when the break ends, all waiting callers would
        call at once. So the reservation is released, and another one is made behind the break.
        """
        if not self._budget:
            return
        while (wait_s := self._budget.reserve(cost)) > 0:
            if self._on_wait:
                self._on_wait(wait_s)
            try:
                closed = self._wait(wait_s)
            except BaseException:  # Ctrl-C
                self.release(cost)
                raise
            if closed or self._budget.reserve(0) <= 0:
                return
            self.release(cost)

    def release(self, cost: float) -> None:
        """Settle a try that was not made."""
        self._settle(cost, 0.0)

    def settle_answer(self, cost: float, *, elapsed_s: float, api_calls: float | None) -> None:
        """Settle a try that brought an answer; ``api_calls`` is the number of Discogs calls that LML reports."""
        self._settle(cost, discogs_calls_used(cost, elapsed_s, api_calls))

    def settle_failure(self, cost: float, *, elapsed_s: float, error: LmlError) -> None:
        """Settle a try that failed, and block the budget if LML asked for a break."""
        # LML goes on working after a caller has hung up, so a timeout costs all that was reserved.
        self._settle(cost, cost if isinstance(error, LmlTimeout) else discogs_calls_used(cost, elapsed_s, None))
        if self._budget and error.retry_after_s and error.status in BLOCK_STATUSES:
            self._budget.block(min(error.retry_after_s, self._block_max_s))

    def _settle(self, reserved: float, used: float) -> None:
        if self._budget and used != reserved:
            self._budget.settle(reserved, used)
