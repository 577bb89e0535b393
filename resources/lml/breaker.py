"""Owns the decision to leave a failing LML alone for a while. Pure: the clock is handed in, nothing is called."""

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

    Thread-safe. Each admitted call must be reported by exactly one of ``success``, ``failure`` and ``abandon``.
    ``clock`` returns monotonic seconds.
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
        """The state as of the last call; an elapsed ``open_s`` shows only when somebody asks to be admitted."""
        with self._lock:
            return self._state

    def refuses(self) -> bool:
        """Return whether a call would be refused now. Takes no place: a later ``admit`` may still say otherwise."""
        with self._lock:
            return self._refuses()

    def admit(self) -> int | None:
        """Return a ticket to report the outcome with, or None if the call must not be made."""
        with self._lock:
            if self._refuses():
                return None
            if self._state is BreakerState.OPEN:
                self._state = BreakerState.HALF_OPEN
                self._epoch += 1
            return self._epoch

    def success(self, ticket: int) -> None:
        """Report that LML answered, whatever it said: the streak ends and a probe closes the breaker."""
        with self._lock:
            if ticket == self._epoch:
                self._state = BreakerState.CLOSED
                self._failures = 0

    def failure(self, ticket: int) -> None:
        """Report a timeout, a broken connection or a 5xx."""
        with self._lock:
            if ticket != self._epoch:
                return
            self._failures += 1
            if self._failures >= self._threshold:  # only a success ends the streak, so a failed probe is always over it
                self._open()

    def abandon(self, ticket: int) -> None:
        """Report that a call ended without saying anything about LML, so that a lost probe blocks nobody."""
        with self._lock:
            if ticket == self._epoch and self._state is BreakerState.HALF_OPEN:
                self._state = BreakerState.OPEN  # its time is long over: the next call is the next probe
                self._epoch += 1

    def _open(self) -> None:
        self._state = BreakerState.OPEN
        self._opened_at = self._clock()
        self._epoch += 1  # calls that started before no longer have a say: the probe decides

    def _refuses(self) -> bool:
        if self._state is BreakerState.HALF_OPEN:
            return True
        return self._state is BreakerState.OPEN and self._clock() - self._opened_at < self._open_s
