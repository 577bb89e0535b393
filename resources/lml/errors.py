"""The ways in which a call to LML can fail. Pure.

    LmlError                the base, which callers catch
    ├── LmlAuthError        401, 403: the key is wrong; no later call of this client is made
    ├── LmlRequestError     any other 4xx: LML will never accept this request
    ├── LmlRateLimited      429, with ``retry_after_s`` if LML sent Retry-After
    ├── LmlServerError      5xx, with ``retry_after_s`` if LML sent Retry-After
    ├── LmlTimeout          no complete answer within the endpoint's time
    ├── LmlUnreachable      no connection, or one that broke
    ├── LmlBrokenAnswer     an answer that breaks the contract: JSON, envelope, size, redirect
    └── LmlUnavailable      the circuit breaker is open: no call was made

``retryable`` (another try can help) and ``divisible`` (a part of the batch can succeed where the whole did not) are decided
here or where the error is raised, and nowhere else. No message holds the key
or a request body.
"""

# ruff: noqa: N818 - as in httpx's tree, a name says what happened (timeout, unreachable)

REFUSALS = frozenset({400, 413, 422})
"""The statuses with which LML refuses a request for what it holds."""


class LmlError(Exception):
    """A call to LML without a usable answer.

    Attributes:
        status: the HTTP status of the last answer, or None if there was none.
        retryable: another try, now or in a later run, can help.
        divisible: a call about a part of the same inputs can succeed: one input may be the cause.
        retry_after_s: seconds of LML's Retry-After, unbounded; None without one.
        calls: HTTP calls that were made, failed tries included; 0 if none was.
        latency_ms: time that those calls took together, without the waits between them.
    """

    retryable = False
    divisible = False

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
    """LML refused the key (401 or 403), and will refuse it for the rest of the run."""


class LmlRequestError(LmlError):
    """LML refused the request itself (a 4xx that is not about the key or the rate)."""

    @property
    def divisible(self) -> bool:  # type: ignore[override]
        """Whether LML refused what the request holds: it could not read it, it is too large, or it is not valid."""
        return self.status in REFUSALS


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

    def __init__(self, message: str, *, retryable: bool, divisible: bool = False, status: int | None = None) -> None:
        super().__init__(message, status=status)
        self.retryable = retryable
        self.divisible = divisible


class LmlUnavailable(LmlError):
    """The circuit breaker is open, or the client is closed; no call was made."""

    retryable = True

    def __init__(self, message: str) -> None:
        super().__init__(message, calls=0)
