"""The circuit breaker: after consecutive failures, calls to LML are refused for a while. Its clock is an argument."""

import threading
from collections.abc import Callable
from enum import Enum


class BreakerState(Enum):
    """closed: calls pass; open: calls are refused; half_open: one probe is under way."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """Opens after ``threshold`` consecutive failures, refuses for ``open_s`` seconds, then admits one probe at a time.

    Thread-safe. The caller records the outcome of each admitted call with exactly one of ``record_success``,
    ``record_failure`` and ``record_abandoned``. The caller provides ``clock``, which returns monotonic seconds.
    """

    def __init__(self, *, threshold: int, open_s: float, clock: Callable[[], float]) -> None:
        self._threshold = threshold
        self._open_s = open_s
        self._clock = clock
        self._lock = threading.Lock()
        self._state = BreakerState.CLOSED
        self._failures = 0
        self._opened_at = 0.0
        self._epoch = 0

    @property
    def state(self) -> BreakerState:
        """The state as of the last call; an elapsed ``open_s`` shows only at the next ``admit``."""
        with self._lock:
            return self._state

    def refuses(self) -> bool:
        """Return whether a call would be refused now. This reserves nothing: a later ``admit`` may decide otherwise."""
        with self._lock:
            return self._refuses()

    def admit(self) -> int | None:
        """Return the ticket with which to record the outcome, or None if the call must not be made."""
        with self._lock:
            if self._refuses():
                return None
            if self._state is BreakerState.OPEN:
                self._state = BreakerState.HALF_OPEN
                self._epoch += 1
            return self._epoch

    def record_success(self, ticket: int) -> None:
        """Record that LML answered, with whatever status: the count of failures restarts, and a probe closes the breaker."""
        with self._lock:
            if ticket == self._epoch:
                self._state = BreakerState.CLOSED
                self._failures = 0

    def record_failure(self, ticket: int) -> None:
        """Record a timeout, a broken connection or a 5xx."""
        with self._lock:
            if ticket != self._epoch:
                return
            self._failures += 1
            if (
                self._failures >= self._threshold
            ):  # only a success resets the count, so a failed probe always reaches it
                self._open()

    def record_abandoned(self, ticket: int) -> None:
        """Record that a call ended without any news of LML, so that the next call can be the probe in place of a lost one."""
        with self._lock:
            if ticket == self._epoch and self._state is BreakerState.HALF_OPEN:
                self._state = BreakerState.OPEN  # open_s is long over: the next call is the next probe
                self._epoch += 1

    def _open(self) -> None:
        self._state = BreakerState.OPEN
        self._opened_at = self._clock()
        self._epoch += 1  # outcomes of calls admitted earlier no longer count: the probe decides

    def _refuses(self) -> bool:
        if self._state is BreakerState.HALF_OPEN:
            return True
        return self._state is BreakerState.OPEN and self._clock() - self._opened_at < self._open_s
