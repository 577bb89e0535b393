"""Waiting in tests: one loop, whose failure shows the last value that it saw."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(look: Callable[[], T], what: str, timeout_s: float = 60.0, interval_s: float = 0.02) -> T:
    """Return the first true value of ``look``; fail after ``timeout_s`` with ``what`` was expected and the last value."""
    deadline = time.monotonic() + timeout_s
    while not (seen := look()):
        assert time.monotonic() < deadline, f"no {what} within {timeout_s:g} s; last seen: {seen!r}"
        time.sleep(interval_s)
    return seen
