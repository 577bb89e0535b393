"""What reached the sandbox LML: the last requests, counts by endpoint and status, and how many were in flight."""

import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field

_HIDDEN = "***"


@dataclass(frozen=True)
class RecordedRequest:
    """One request: header names in lower case, credentials as ``***``, ``body`` None unless bodies are recorded.

    ``at_s`` counts from the start of the server, on a monotonic clock.
    """

    method: str
    path: str
    headers: dict[str, str]
    body: bytes | None
    at_s: float


@dataclass
class Traffic:
    """Counts of one server; written on its event loop, readable from any thread. Keeps the last ``keep`` requests."""

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
        """Keep one request, without what its Authorization header says."""
        shown = {name: _HIDDEN if name == "authorization" else value for name, value in headers.items()}
        at_s = time.monotonic() - self.started_s
        request = RecordedRequest(method, path, shown, body if self.record_bodies else None, at_s)
        with self._lock:
            self._requests.append(request)

    def enter(self, endpoint: str) -> None:
        """Count one request in flight."""
        with self._lock:
            self._by_endpoint[endpoint] += 1
            self.in_flight += 1
            self.in_flight_peak = max(self.in_flight_peak, self.in_flight)

    def leave(self, status: int) -> None:
        """Count its answer."""
        with self._lock:
            self._by_status[str(status)] += 1
            self.in_flight -= 1

    def requests(self) -> list[RecordedRequest]:
        """Return the last requests, oldest first."""
        with self._lock:
            return list(self._requests)

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many requests each endpoint had and how many answers each status."""
        with self._lock:
            return {"by_endpoint": dict(self._by_endpoint), "by_status": dict(self._by_status)}
