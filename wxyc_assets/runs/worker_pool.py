"""A pool of daemon threads for LML calls, so that Ctrl-C never waits for a call that hangs."""

import contextvars
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, wait
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")


class Pending(Protocol):
    """An item whose ``answer`` may be in flight; None: there is nothing to wait for."""

    @property
    def answer(self) -> "Future[Any] | None":
        """The answer."""


P = TypeVar("P", bound=Pending)

SHUTDOWN_GRACE_S = 1.0
"""How long ``shutdown`` waits for calls that are in flight."""

POLL_S = 0.1
"""How soon a thread that waits for an answer notices Ctrl-C."""


class WorkerPool(Generic[T]):
    """A fixed number of daemon threads. Those of concurrent.futures are joined at exit, however long their call takes."""

    def __init__(self, size: int) -> None:
        self._tasks: queue.SimpleQueue[tuple[Future[T], Callable[[], T]] | None] = queue.SimpleQueue()
        self._is_shut_down = threading.Event()
        self._threads = [threading.Thread(target=self._serve, name="lml", daemon=True) for _ in range(size)]
        for thread in self._threads:
            thread.start()

    def submit(self, call: Callable[[], T]) -> "Future[T]":
        """Run ``call`` in one of the threads, in a copy of the caller's context: that carries the run's span."""
        future: Future[T] = Future()
        context = contextvars.copy_context()
        self._tasks.put((future, lambda: context.run(call)))
        return future

    def shutdown(self) -> None:
        """Cancel the calls that have not started. Calls in flight end by themselves, and their results are discarded."""
        self._is_shut_down.set()
        for _ in self._threads:
            self._tasks.put(None)
        until = time.monotonic() + SHUTDOWN_GRACE_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def _serve(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, call = task
            if self._is_shut_down.is_set():
                future.cancel()
                continue
            try:
                future.set_result(call())
            except BaseException as error:  # noqa: BLE001  # raised again in the thread that waits
                future.set_exception(error)
            del task, future, call  # an idle thread must not keep the last page in memory


def prefetch(items: Iterable[P], in_flight: int) -> Iterator[P]:
    """Yield the items in order, each only once up to ``in_flight`` later ones have been sent already."""
    ahead: deque[P] = deque()
    for item in items:
        ahead.append(item)
        while sum(each.answer is not None for each in ahead) > in_flight:
            yield ahead.popleft()
    yield from ahead


def wait_for_result(answer: "Future[T]") -> T:
    """Wait for an answer and return it, or raise the error that the call raised."""
    while not wait([answer], POLL_S).done:
        pass
    return answer.result()
