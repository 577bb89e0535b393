"""Lanes: a few worker threads of one run, each with a database session of its own, whose results one thread collects."""

import contextvars
import queue
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

T = TypeVar("T")
ResultT_co = TypeVar("ResultT_co", covariant=True)

LANES = 2
"""PostgreSQL writes for one lane while Python prepares the next statement of the other. A small station has two cores; more
lanes would queue for them."""

STOP_GRACE_S = 5.0
"""How long a lane that is being stopped may take over the unit it is at, before its statement is cancelled."""


class Lane(Protocol[ResultT_co]):
    """The work of one lane."""

    def run(self) -> Iterator[ResultT_co]:
        """Yield each result as soon as it is committed; end after the current unit once the run is being stopped."""

    def cancel(self) -> None:
        """Cancel the running statement, from another thread; its unit is rolled back."""


@dataclass(frozen=True)
class _Ended:
    """A lane has no more results; ``error`` is a defect that ended it."""

    error: BaseException | None = None


class _LaneThread(threading.Thread, Generic[T]):
    """Runs one lane and puts its results on a queue, then that it has ended."""

    def __init__(self, lane: Lane[T], results: "queue.SimpleQueue[T | _Ended]") -> None:
        context = contextvars.copy_context()  # carries the run's span to the calls of the lane
        super().__init__(target=context.run, args=(self._run_lane,), name="lane")
        self._lane = lane
        self._results = results

    def stop(self) -> None:
        """Wait for the unit that is being written; the run's stop event is set already."""
        self.join(STOP_GRACE_S)
        if self.is_alive():
            self._lane.cancel()
        self.join()

    def _run_lane(self) -> None:
        try:
            for result in self._lane.run():
                self._results.put(result)
        except BaseException as error:  # noqa: BLE001  # raised again in the thread that collects
            self._results.put(_Ended(error))
        else:
            self._results.put(_Ended())


def run_lanes(lanes: Sequence[Lane[T]], stopping: threading.Event) -> Generator[T, None, None]:
    """Yield the results of all lanes in this thread, in the order in which they arrive.

    When the caller closes this iterator, ``stopping`` is set, and each lane ends after its current unit. Close it with
    ``contextlib.closing``: an exception in the caller's loop leaves it open and the lanes at work.
    """
    results: queue.SimpleQueue[T | _Ended] = queue.SimpleQueue()
    threads = [_LaneThread(lane, results) for lane in lanes]
    for thread in threads:
        thread.start()
    try:
        yield from _until_all_ended(results, len(threads))
    finally:
        stopping.set()
        for thread in threads:
            thread.stop()


def _until_all_ended(results: "queue.SimpleQueue[T | _Ended]", running: int) -> Iterator[T]:
    while running:
        item = results.get()
        if not isinstance(item, _Ended):
            yield item
        elif item.error:
            raise item.error
        else:
            running -= 1
