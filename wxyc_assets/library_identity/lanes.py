"""Runs the shards of a run over a few lanes at once, each with a connection of its own, and hands back what they finish."""

import contextvars
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from resources.postgres import Postgres
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.drain import Drain, ShardDone
from wxyc_assets.row_isolation import database_problem

LANES = 2
"""PostgreSQL writes for one lane while Python prepares for the other; more would only queue for the same cores."""

PATIENCE_S = 5.0
"""How long a lane that is being stopped may take over the page it is at, before its statement is cancelled."""


@dataclass(frozen=True)
class _Ended:
    """A lane has nothing more to say; ``error`` is a defect that it died of."""

    error: BaseException | None = None


class _Lane(threading.Thread):
    """Some of the shards, one after the other; says how each ended, and at last that it has."""

    def __init__(
        self,
        postgres: Postgres,
        shards: Sequence[int],
        drain_on: Callable[[psycopg.Connection, threading.Event], Drain],
        stopping: threading.Event,
        said: "queue.SimpleQueue[ShardDone | _Ended]",
    ) -> None:
        context = contextvars.copy_context()  # it carries the run's span to the calls
        super().__init__(target=context.run, args=(self._walk,), name="lane")
        self._postgres = postgres
        self._shards = shards
        self._drain_on = drain_on
        self._stopping = stopping
        self._said = said
        self._connection: psycopg.Connection | None = None

    def stop(self) -> None:
        """Wait for the page that is being written; ``stopping`` is set already."""
        self.join(PATIENCE_S)
        if self.is_alive() and self._connection:
            with suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=PATIENCE_S)
        self.join()

    def _walk(self) -> None:
        try:
            with self._postgres.connect() as self._connection:
                for done in self._drain_on(self._connection, self._stopping).run(self._shards):
                    self._said.put(done)
        except psycopg.OperationalError as error:
            for shard in self._shards:  # no connection: nothing of this lane was begun
                self._said.put(ShardDone(shard, Counters(), 0, database_problem(error)))
            self._said.put(_Ended())
        except BaseException as error:  # noqa: BLE001  # carried to the thread that waits
            self._said.put(_Ended(error))
        else:
            self._said.put(_Ended())


def run_lanes(
    postgres: Postgres,
    shards: Sequence[int],
    drain_on: Callable[[psycopg.Connection, threading.Event], Drain],
) -> Generator[ShardDone, None, None]:
    """Yield each shard as it ends, in this thread.

    When the caller closes this iterator, the lanes stop after the page they are at. Close it (``contextlib.closing``): an
    exception in the caller's loop leaves it open, and the lanes at work.
    """
    said: queue.SimpleQueue[ShardDone | _Ended] = queue.SimpleQueue()
    stopping = threading.Event()
    lanes = [
        _Lane(postgres, shards[first::LANES], drain_on, stopping, said) for first in range(min(LANES, len(shards)))
    ]
    for lane in lanes:
        lane.start()
    try:
        yield from _until_all_ended(said, len(lanes))
    finally:
        stopping.set()
        for lane in lanes:
            lane.stop()


def _until_all_ended(said: "queue.SimpleQueue[ShardDone | _Ended]", lanes: int) -> Iterator[ShardDone]:
    while lanes:
        item = said.get()
        if isinstance(item, ShardDone):
            yield item
        elif item.error:
            raise item.error
        else:
            lanes -= 1
