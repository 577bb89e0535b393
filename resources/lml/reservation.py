"""Reserves the Discogs calls that a call to LML may cause, and settles the reservation once the call is over."""

import math
import threading
from collections.abc import Callable
from typing import Protocol

from resources.boot_clock import boot_seconds
from resources.budget import LATE_S
from resources.lml.endpoints import discogs_calls_used
from resources.lml.errors import LmlError, LmlTimeout, LmlUnavailable

BLOCK_STATUSES = frozenset({429, 503})

LATE_MAX = 20
"""How often in a row a call may miss its reserved instant before it is given up."""


class Budget(Protocol):
    """The station's shared budget of Discogs calls. If ``reserve`` raises, no call is made."""

    def reserve(self, cost: float, /) -> float:
        """Reserve ``cost`` calls and return the seconds to wait before making them. Cost 0 still waits for a block to end."""

    def check(self) -> tuple[float, float]:
        """Return the seconds until a block ends, and the seconds since this thread's last reservation began; each 0 or more."""

    def block(self, seconds: float, /) -> None:
        """Make every caller wait for this long, because LML asked for it."""

    def settle(self, reserved: float, used: float, /) -> None:
        """Correct a reservation once its call is over; ``used`` may be less or more than ``reserved``."""


class Reservations:
    """Reserves the tries of calls from a budget. Without a budget every method does nothing.

    ``wait`` sleeps for some seconds. It returns True if the client was closed meanwhile: then the call is not made. ``on_wait``
    receives the seconds of each wait before it begins. ``clock`` returns seconds, and runs while the machine is suspended.
    """

    def __init__(
        self,
        budget: Budget | None,
        *,
        block_max_s: float,
        wait: Callable[[float], bool],
        on_wait: Callable[[float], None] | None = None,
        clock: Callable[[], float] = boot_seconds,
    ) -> None:
        self._on_wait = on_wait
        self._budget = budget
        self._block_max_s = block_max_s
        self._wait = wait
        self._clock = clock
        self._thread = threading.local()

    def acquire(self, cost: float) -> None:
        """Reserve one try and wait until it may be made. Raises LmlUnavailable if the process is always too late for it."""
        self._thread.late = 0
        self._reserve(cost)

    def renew(self, cost: float) -> None:
        """Reserve again if the instant of this thread's reservation is over. To be called right before the call is made.

        The process can have been stopped, or the machine suspended, since the reservation. The budget then counts the try in a
        minute that is over, and has given this minute to other callers. Raises LmlUnavailable as ``acquire`` does.
        """
        while self._clock() > self._thread.usable_until:
            self._release_late(cost)
            self._reserve(cost)

    def _reserve(self, cost: float) -> None:
        """Reserve, and wait for the reserved instant, until it is reached in time and outside of a block.

        If LML asks for a break during the wait, the reserved instant is stale: when the break ends, all waiting callers would
        call at once. So the reservation is released, and another one is made behind the break.
        """
        self._thread.usable_until = math.inf
        while self._budget:
            asked_at = self._clock()
            wait_s = self._budget.reserve(cost)
            if cost > 0:  # from before the question: a pause while the database answers is a pause like any other
                self._thread.usable_until = asked_at + wait_s + LATE_S
            if wait_s <= 0:
                return
            if self._on_wait:
                self._on_wait(wait_s)
            try:
                closed = self._wait(wait_s)
            except BaseException:  # Ctrl-C
                self.release(cost)
                raise
            if closed:
                return
            block_s, late_s = self._budget.check()
            if late_s > LATE_S:
                self._release_late(cost)
            elif block_s > 0:
                self.release(cost)
            else:
                return

    def _release_late(self, cost: float) -> None:
        self.release(cost)
        self._thread.late += 1
        if self._thread.late >= LATE_MAX:
            raise LmlUnavailable(
                f"a call to LML was not made: {LATE_MAX} times in a row this process was more than {LATE_S:g} s late for the "
                "instant that it had reserved; is this machine or its database overloaded?"
            )

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
