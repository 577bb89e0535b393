"""How long a run may wait for hours that other runs have locked, for all of its lanes together."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class WaitBudget:
    """A number of seconds that elapses only while a lane waits; lanes that wait at the same time use it up only once."""

    def __init__(self, total_s: float) -> None:
        self._left_s = total_s
        self._waiting = 0
        self._since = 0.0
        self._guard = threading.Lock()

    @contextmanager
    def waiting(self) -> Iterator[float]:
        """Yield how many seconds are left, at least 0; they elapse during the block."""
        with self._guard:
            now = time.monotonic()
            if not self._waiting:
                self._since = now
            self._waiting += 1
            left_s = self._left_s - (now - self._since)
        try:
            yield max(0.0, left_s)
        finally:
            with self._guard:
                self._waiting -= 1
                if not self._waiting:
                    self._left_s -= time.monotonic() - self._since
