"""Owns whether a call may be made at all: not once the key was refused, not while LML is being left alone."""

import time

from resources.lml.breaker import Breaker
from resources.lml.errors import (
    LmlAuthError,
    LmlError,
    LmlServerError,
    LmlTimeout,
    LmlUnavailable,
    LmlUnreachable,
)

FAILURES_OF_LML = (LmlTimeout, LmlUnreachable, LmlServerError)


class Admission:
    """The circuit breaker, and the latch on a refused key. Thread-safe."""

    def __init__(self, *, threshold: int, open_s: float) -> None:
        self._breaker = Breaker(threshold=threshold, open_s=open_s, clock=time.monotonic)
        self._threshold = threshold
        self._refused_status: int | None = None

    def check(self) -> None:
        """Raise LmlAuthError or LmlUnavailable if a call would be refused now, so that nobody queues for nothing."""
        self._check_key()
        if self._breaker.refuses():
            raise self._unavailable()

    def enter(self) -> int:
        """Return one call's ticket, for ``answered``, ``failed`` or ``abandoned``; raises as ``check`` does."""
        self._check_key()
        ticket = self._breaker.admit()
        if ticket is None:
            raise self._unavailable()
        return ticket

    def leaves_alone(self) -> bool:
        """Return whether LML is being left alone now."""
        return self._breaker.refuses()

    def answered(self, ticket: int) -> None:
        """Learn that LML answered."""
        self._breaker.success(ticket)

    def failed(self, ticket: int, error: LmlError) -> None:
        """Learn from an error; a refused key is refused for ever."""
        if isinstance(error, LmlAuthError):
            self._refused_status = error.status
        if isinstance(error, FAILURES_OF_LML):
            self._breaker.failure(ticket)
        else:
            self._breaker.success(ticket)  # whatever LML said, it was there to say it

    def abandoned(self, ticket: int) -> None:
        """Learn that a call was interrupted."""
        self._breaker.abandon(ticket)

    def _check_key(self) -> None:
        if self._refused_status is not None:
            status = self._refused_status
            text = f"LML refused the key earlier in this run ({status}), so no call was made; set LML_API_KEY"
            raise LmlAuthError(text, status=status, calls=0)

    def _unavailable(self) -> LmlUnavailable:
        return LmlUnavailable(
            f"LML failed {self._threshold} times in a row and is left alone for a while, so no call was made; "
            "see the errors before this one, then run again"
        )
