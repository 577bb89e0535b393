"""Runs the shards of a run over a few lanes at once, each with a connection of its own, and hands back what they finish."""

import contextvars
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import psycopg

from resources.postgres import Postgres
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.drain import Drain, ShardDone, database_problem

LANES = 2
"""PostgreSQL writes for one lane while Python prepares for the other; more would only queue for the same cores."""


@dataclass(frozen=True)
class _Ended:
    """A lane has nothing more to say; ``error`` is a defect that it died of."""

    error: BaseException | None = None


def run_lanes(
    postgres: Postgres,
    shards: Sequence[int],
    drain_on: Callable[[psycopg.Connection, threading.Event], Drain],
) -> Iterator[ShardDone]:
    """Yield each shard as it ends, in this thread. When the caller stops listening, the lanes stop after their page."""
    said: queue.SimpleQueue[ShardDone | _Ended] = queue.SimpleQueue()
    stopping = threading.Event()
    lanes = [shards[lane::LANES] for lane in range(min(LANES, len(shards)))]
    threads = [
        threading.Thread(
            target=contextvars.copy_context().run, args=(_lane, postgres, lane, drain_on, stopping, said), name="lane"
        )
        for lane in lanes
    ]
    for thread in threads:
        thread.start()
    try:
        yield from _until_all_ended(said, len(threads))
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def _until_all_ended(said: "queue.SimpleQueue[ShardDone | _Ended]", lanes: int) -> Iterator[ShardDone]:
    while lanes:
        item = said.get()
        if isinstance(item, ShardDone):
            yield item
        elif item.error:
            raise item.error
        else:
            lanes -= 1


def _lane(
    postgres: Postgres,
    shards: Sequence[int],
    drain_on: Callable[[psycopg.Connection, threading.Event], Drain],
    stopping: threading.Event,
    said: "queue.SimpleQueue[ShardDone | _Ended]",
) -> None:
    try:
        with postgres.connect() as connection:
            for done in drain_on(connection, stopping).run(shards):
                said.put(done)
    except psycopg.OperationalError as error:
        for shard in shards:  # no connection: nothing of this lane was begun
            said.put(ShardDone(shard, Counters(), 0, database_problem(error)))
        said.put(_Ended())
    except BaseException as error:  # noqa: BLE001  # carried to the thread that waits
        said.put(_Ended(error))
    else:
        said.put(_Ended())
