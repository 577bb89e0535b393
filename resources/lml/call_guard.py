"""Decides whether a call may be made at all: not while the circuit breaker is open, and never after a refused key."""

from collections.abc import Callable

from resources.lml.breaker import Breaker
from resources.lml.errors import LmlAuthError, LmlError, LmlServerError, LmlTimeout, LmlUnavailable, LmlUnreachable

BREAKER_FAILURES = (LmlTimeout, LmlUnreachable, LmlServerError)
"""The errors that count as a failure of LML; every other error shows that LML is there."""


class CallGuard:
    """The circuit breaker, and the latch on a refused key. Thread-safe. ``clock`` returns monotonic seconds."""

    def __init__(self, *, threshold: int, open_s: float, clock: Callable[[], float]) -> None:
        self._breaker = Breaker(threshold=threshold, open_s=open_s, clock=clock)
        self._threshold = threshold
        self._refused_status: int | None = None

    def check(self) -> None:
        """Raise LmlAuthError or LmlUnavailable if a call would be refused now, so that no call queues in vain."""
        self._check_key()
        if self._breaker.refuses():
            raise self._unavailable()

    def admit(self) -> int:
        """Return the ticket with which the call's outcome is recorded; raises as ``check`` does."""
        self._check_key()
        ticket = self._breaker.admit()
        if ticket is None:
            raise self._unavailable()
        return ticket

    def breaker_refuses(self) -> bool:
        """Return whether the circuit breaker would refuse a call now."""
        return self._breaker.refuses()

    def record_answer(self, ticket: int) -> None:
        """Record that LML answered."""
        self._breaker.record_success(ticket)

    def record_failure(self, ticket: int, error: LmlError) -> None:
        """Record an error. After a refused key every later call is refused."""
        if isinstance(error, LmlAuthError):
            self._refused_status = error.status
        if isinstance(error, BREAKER_FAILURES):
            self._breaker.record_failure(ticket)
        else:
            self._breaker.record_success(ticket)

    def record_abandoned(self, ticket: int) -> None:
        """Record that a call was interrupted."""
        self._breaker.record_abandoned(ticket)

    def _check_key(self) -> None:
        if self._refused_status is not None:
            status = self._refused_status
            text = f"LML refused the key earlier in this run ({status}), so no call was made; set LML_API_KEY"
            raise LmlAuthError(text, status=status, calls=0)

    def _unavailable(self) -> LmlUnavailable:
        return LmlUnavailable(
            f"LML failed {self._threshold} times in a row, so calls to it are suspended for a while and this one was not made; "
            "see the errors before this one, then run again"
        )
