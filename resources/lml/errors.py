"""Owns the ways in which a call to LML can fail.

    LmlError                what every caller may catch
    ├── LmlAuthError        401, 403: the key is wrong; latched, no later call of this client is made
    ├── LmlRequestError     any other 4xx: this request will never be accepted
    ├── LmlRateLimited      429, with ``retry_after_s`` where LML said so
    ├── LmlServerError      5xx, with ``retry_after_s`` where LML said so
    ├── LmlTimeout          no complete answer within the endpoint's time
    ├── LmlUnreachable      no connection, or one that broke
    ├── LmlBrokenAnswer     an answer that is not what the contract says: JSON, envelope, size, redirect
    └── LmlUnavailable      the circuit breaker is open: no call was made

Whether another try can help (``retryable``) is decided here or where the error is raised, and nowhere else. No message
ever holds the key or a request body.
"""

# ruff: noqa: N818 - as in httpx's tree, a name says what happened (timeout, unreachable), and the Lml in front the rest


class LmlError(Exception):
    """A call to LML that brought no usable answer.

    Attributes:
        status: the HTTP status of the last answer, or None if there was none.
        retryable: another try, now or in a later run, can help.
        retry_after_s: how long LML asked to be left alone, in seconds, unbounded; None if it did not say.
        calls: HTTP calls that were made before giving up; 0 if none was.
        latency_ms: time that those calls took together, without any waiting between them.
    """

    retryable = False

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        calls: int = 1,
        latency_ms: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s
        self.calls = calls
        self.latency_ms = latency_ms

    @property
    def called(self) -> bool:
        """True if LML may have seen the request."""
        return self.calls > 0


class LmlAuthError(LmlError):
    """LML refused the key (401 or 403). It will not get better within a run."""


class LmlRequestError(LmlError):
    """LML refused the request itself (a 4xx that is not about the key or the rate)."""


class LmlRateLimited(LmlError):
    """LML asked for fewer calls (429)."""

    retryable = True


class LmlServerError(LmlError):
    """LML failed (5xx)."""

    retryable = True


class LmlTimeout(LmlError):
    """LML did not answer completely in time."""

    retryable = True


class LmlUnreachable(LmlError):
    """There was no connection to LML, or it broke before the answer was complete."""

    retryable = True


class LmlBrokenAnswer(LmlError):
    """LML answered something that the contract does not allow."""

    def __init__(self, message: str, *, retryable: bool, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.retryable = retryable


class LmlUnavailable(LmlError):
    """LML failed so often in a row that it is left alone for a while; no call was made."""

    retryable = True

    def __init__(self, message: str) -> None:
        super().__init__(message, calls=0)
