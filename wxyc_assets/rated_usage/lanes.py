"""Rates the hours of a run over a few sessions at once, and hands back what they finish."""

import queue
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from wxyc_assets.rated_usage.rater import Outcome, Rater, Work

LANES = 2
"""A statement that writes has one core to itself; more lanes would only queue for the cores that a small station has."""

PATIENCE_S = 5.0
"""How long a lane that is being stopped may take over the hour it is at, before its statement is cancelled."""


@dataclass(frozen=True)
class _Ended:
    """A lane has nothing more to say; ``error`` is a defect that it died of."""

    error: BaseException | None = None


class _Lane(threading.Thread):
    """One rater in a thread of its own."""

    def __init__(self, work: Work, said: "queue.SimpleQueue[Outcome | _Ended]") -> None:
        super().__init__(name="lane")
        self._rater = Rater(work)
        self._said = said

    def run(self) -> None:
        """Say what came of each hour, and at last that there are no more."""
        try:
            for outcome in self._rater.run():
                self._said.put(outcome)
        except BaseException as error:  # noqa: BLE001  # carried to the thread that waits
            self._said.put(_Ended(error))
        else:
            self._said.put(_Ended())

    def stop(self) -> None:
        """Wait for the hour that is being rated; ``stopping`` is set already."""
        self.join(PATIENCE_S)
        if self.is_alive():
            self._rater.cancel()
        self.join()


def run_lanes(work: Work, lanes: int = LANES) -> Generator[Outcome, None, None]:
    """Yield what came of each hour, in this thread, in the order in which they end.

    When the caller closes this iterator, the lanes stop after the hour they are at. Close it (``contextlib.closing``): an
    exception in the caller's loop leaves it open, and the lanes at work.
    """
    said: queue.SimpleQueue[Outcome | _Ended] = queue.SimpleQueue()
    running = [_Lane(work, said) for _ in range(min(lanes, work.hours.qsize()))]
    for lane in running:
        lane.start()
    try:
        yield from _until_all_ended(said, len(running))
    finally:
        work.stopping.set()
        for lane in running:
            lane.stop()


def _until_all_ended(said: "queue.SimpleQueue[Outcome | _Ended]", lanes: int) -> Iterator[Outcome]:
    while lanes:
        item = said.get()
        if not isinstance(item, _Ended):
            yield item
        elif item.error:
            raise item.error
        else:
            lanes -= 1
