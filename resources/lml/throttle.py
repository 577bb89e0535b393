"""Limits identity-resolution calls: how many run at once, and how far apart they start."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Throttle:
    """At most ``max_in_flight`` calls at once, whose starts are at least ``min_interval_s`` apart. Thread-safe.

    ``clock`` returns monotonic seconds. ``wait`` sleeps for the given seconds, or less if the client is closed meanwhile.
    """

    def __init__(
        self, *, max_in_flight: int, min_interval_s: float, clock: Callable[[], float], wait: Callable[[float], bool]
    ) -> None:
        self._slots = threading.BoundedSemaphore(max_in_flight)
        self._min_interval_s = min_interval_s
        self._clock = clock
        self._wait = wait
        self._lock = threading.Lock()
        self._next_start = clock()

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free slot and for its start time, and hold the slot for the block."""
        with self._slots:
            wait_s = self._schedule_start()
            if wait_s > 0:
                self._wait(wait_s)
            yield

    def _schedule_start(self) -> float:
        """Claim the next start time and return the seconds until then."""
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start)
            self._next_start = start + self._min_interval_s
            return start - now
