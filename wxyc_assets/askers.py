"""Threads that ask LML and that nobody has to wait for: a call that hangs must not hold up a person's Ctrl-C."""

import contextvars
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")

GRACE_S = 1.0
"""How long ``leave`` waits for calls that are under way."""


class Askers(Generic[T]):
    """A few daemon threads; those of concurrent.futures are joined at exit, however long their call still takes."""

    def __init__(self, size: int) -> None:
        self._tasks: queue.SimpleQueue[tuple[Future[T], Callable[[], T]] | None] = queue.SimpleQueue()
        self._left = threading.Event()
        self._threads = [threading.Thread(target=self._serve, name="lml", daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def submit(self, ask: Callable[[], T]) -> "Future[T]":
        """Have one of the threads call ``ask``, in a copy of the caller's context: it carries the run's span."""
        future: Future[T] = Future()
        context = contextvars.copy_context()
        self._tasks.put((future, lambda: context.run(ask)))
        return future

    def leave(self) -> None:
        """Cancel what was not begun. A call that is under way ends in its own time, and what it brings is not looked at."""
        self._left.set()
        for _ in self._threads:
            self._tasks.put(None)
        until = time.monotonic() + GRACE_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, ask = task
            if self._left.is_set():
                future.cancel()
                continue
            try:
                future.set_result(ask())
            except BaseException as error:  # noqa: BLE001  # carried to the thread that waits
                future.set_exception(error)
            del task, future, ask  # an idle thread must not keep the last page in memory
