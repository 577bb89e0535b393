"""The requests that reached the sandbox LML: the last ones, counts by endpoint and status, and the number in flight."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

_REDACTED = "***"


@dataclass(frozen=True)
class RecordedRequest:
    """One request: header names in lower case, credentials as ``***``, ``body`` None unless the log records bodies.

    ``at_s`` is the time since the server started, on a monotonic clock.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    at_s: float


@dataclass
class RequestLog:
    """Counts the requests of one server and holds the last ``keep``. The event loop writes; any thread may read."""

    record_bodies: bool = False
    keep: int = 1000
    started_s: float = field(default_factory=time.monotonic)
    in_flight: int = 0
    in_flight_peak: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: deque[RecordedRequest] = deque(maxlen=self.keep)
        self._by_endpoint: Counter[str] = Counter()
        self._by_status: Counter[str] = Counter()

    def record(self, method: str, path: str, headers: dict[str, str], body: bytes) -> None:
        """Store one request, with its Authorization header redacted."""
        redacted = {name: _REDACTED if name == "authorization" else value for name, value in headers.items()}
        at_s = time.monotonic() - self.started_s
        request = RecordedRequest(method, path, redacted, body if self.record_bodies else None, at_s)
        with self._lock:
            self._requests.append(request)

    def begin(self, endpoint: str) -> None:
        """Count one more request in flight."""
        with self._lock:
            self._by_endpoint[endpoint] += 1
            self.in_flight += 1
            self.in_flight_peak = max(self.in_flight_peak, self.in_flight)

    def end(self, status: int) -> None:
        """Count one answer and one request in flight fewer."""
        with self._lock:
            self._by_status[str(status)] += 1
            self.in_flight -= 1

    def requests(self) -> list[RecordedRequest]:
        """Return the last requests, oldest first."""
        with self._lock:
            return list(self._requests)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of requests by endpoint and the number of answers by status."""
        with self._lock:
            return {"by_endpoint": dict(self._by_endpoint), "by_status": dict(self._by_status)}
