"""Threads that ask LML and that nobody has to wait for: a call that hangs must not hold up a person's Ctrl-C."""

import contextvars
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class Asked(Protocol):
    """Something whose ``answer`` may be on its way; None: there is nothing to wait for."""

    @property
    def answer(self) -> "Future[Any] | None":
        """The answer."""


A = TypeVar("A", bound=Asked)

GRACE_S = 1.0
"""How long ``leave`` waits for calls that are under way."""

PATIENCE_S = 0.1
"""How soon somebody who waits for an answer notices that a person has pressed Ctrl-C."""


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


def ask_ahead(asked: Iterable[A], in_flight: int) -> Iterator[A]:
    """Yield what is asked in order, each behind up to ``in_flight`` later ones whose answers are on their way already."""
    ahead: deque[A] = deque()
    for one in asked:
        ahead.append(one)
        while sum(item.answer is not None for item in ahead) > in_flight:
            yield ahead.popleft()
    yield from ahead


def awaited(answer: "Future[T]") -> T:
    """Wait for an answer and return it, or raise what came instead."""
    while not wait([answer], PATIENCE_S).done:
        pass
    return answer.result()
