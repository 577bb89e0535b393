"""Owns the order in which identity-resolution calls start: so many at once, so far apart."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Lane:
    """At most ``max_in_flight`` holders at once, whose starts are at least ``pace_s`` apart. Thread-safe.

    ``clock`` returns monotonic seconds; ``pause`` waits for some, unless it is cut short.
    """

    def __init__(
        self, *, max_in_flight: int, pace_s: float, clock: Callable[[], float], pause: Callable[[float], bool]
    ) -> None:
        self._places = threading.BoundedSemaphore(max_in_flight)
        self._pace_s = pace_s
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()
        self._next_start = clock()

    @contextmanager
    def place(self) -> Iterator[None]:
        """Wait for a place and for its moment, and hold the place."""
        with self._places:
            wait_s = self._take_moment()
            if wait_s > 0:
                self._pause(wait_s)
            yield

    def _take_moment(self) -> float:
        with self._lock:
            now = self._clock()
            start = max(now, self._next_start)
            self._next_start = start + self._pace_s
            return start - now
