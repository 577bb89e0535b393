"""The observed rate of Discogs calls: the start of each call, and the most calls in any one minute."""

import threading
from collections import Counter, deque
from dataclasses import dataclass

NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class Call:
    """One call to Discogs: ``at_ns`` on the log's monotonic clock, made by LML for ``endpoint``."""

    at_ns: int
    endpoint: str


class CallLog:
    """Counts calls as they start. Safe to read from another thread.

    ``peak`` is the most calls in any half-open window ``[t, t + window_ns)`` so far. The log holds the last ``keep``
    calls, so that a caller can plot them; totals and the peak cover all calls.
    """

    def __init__(self, window_ns: int = 60 * NS_PER_S, keep: int = 10_000) -> None:
        self._window_ns = window_ns
        self._lock = threading.Lock()
        self._in_window: deque[int] = deque()
        self._recent: deque[Call] = deque(maxlen=keep)
        self._by_endpoint: Counter[str] = Counter()
        self._peak = 0

    def record(self, at_ns: int, endpoint: str) -> None:
        """Count one call that starts at ``at_ns``, never earlier than the previous call."""
        with self._lock:
            self._in_window.append(at_ns)
            self._drop_before(at_ns)
            self._peak = max(self._peak, len(self._in_window))
            self._recent.append(Call(at_ns, endpoint))
            self._by_endpoint[endpoint] += 1

    def in_last_window(self, now_ns: int) -> int:
        """Return the number of calls that started in the window that ends now."""
        with self._lock:
            self._drop_before(now_ns)
            return len(self._in_window)

    @property
    def peak(self) -> int:
        """The most calls in any one window so far."""
        return self._peak

    @property
    def total(self) -> int:
        """The number of all calls so far."""
        with self._lock:
            return self._by_endpoint.total()

    def by_endpoint(self) -> dict[str, int]:
        """Return the number of calls for each endpoint that made one."""
        with self._lock:
            return dict(self._by_endpoint)

    def recent(self) -> list[Call]:
        """Return the last calls, oldest first."""
        with self._lock:
            return list(self._recent)

    def _drop_before(self, now_ns: int) -> None:
        while self._in_window and self._in_window[0] <= now_ns - self._window_ns:
            self._in_window.popleft()
