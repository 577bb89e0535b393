"""The frame of a drain over shards: every shard ends once, a broken one alone, and a stop ends the drain between batches."""

import threading
from concurrent.futures import Future
from dataclasses import dataclass

import psycopg
import pytest

from wxyc_assets.runs.shard_drain import ShardDone, ShardDrain, ShardState


@dataclass
class Counters:
    written: int = 0

    def answered_nothing(self, inputs_read):
        return inputs_read > 0 and self.written == 0


class Writer:
    """Counts its batches; fails to complete a shard of this number."""

    def __init__(self, shard, *, fails=False):
        self.shard, self.fails, self.tallied, self.completed = shard, fails, Counters(), False

    def complete(self):
        if self.fails:
            raise psycopg.OperationalError("gone")
        self.completed = True


@dataclass
class Batch:
    shard: int
    number: int = 0
    last: bool = False
    problem: str = ""
    answer: Future | None = None


class Drain(ShardDrain):
    """Reads batches of one input each; ``unreadable`` shards end with a problem, ``unwritable`` ones break at a batch.

    It stops while it writes the batch ``stops_at``.
    """

    def __init__(self, batches=2, *, unreadable=(), unwritable=(), incomplete=(), stops_at=None):
        self.in_flight, self.stopping = 2, threading.Event()
        self.count, self.unreadable, self.unwritable, self.incomplete = batches, unreadable, unwritable, incomplete
        self.writers, self.taken, self.stops_at = {}, [], stops_at

    def writer(self, shard):
        return self.writers.setdefault(shard, Writer(shard, fails=shard in self.incomplete))

    def batches(self, states, pool):
        for shard in states:
            for number in range(self.count):
                yield Batch(shard, number, answer=pool.submit(lambda: None))
            yield Batch(shard, last=True, problem="cannot be read" if shard in self.unreadable else "")

    def take(self, batch, state):
        self.taken.append((batch.shard, batch.number))
        if self.taken[-1] == self.stops_at:
            self.stopping.set()
        state.inputs_read += 1
        if batch.shard in self.unwritable:
            state.problem = "cannot be written"
        else:
            state.writer.tallied.written += 1


def test_every_shard_is_completed_in_order():
    drain = Drain()
    assert list(drain.run([3, 5])) == [ShardDone(3, Counters(2), 2), ShardDone(5, Counters(2), 2)]
    assert all(writer.completed for writer in drain.writers.values())
    assert drain.taken == [(3, 0), (3, 1), (5, 0), (5, 1)]


@pytest.mark.parametrize(
    ("fault", "broken"),
    [
        ({"unreadable": [3]}, "cannot be read"),
        ({"unwritable": [3]}, "cannot be written"),
        ({"incomplete": [3]}, "database: OperationalError: gone"),
        ({"unreadable": [3], "unwritable": [3]}, "cannot be written"),
    ],
)
def test_a_broken_shard_says_why_and_stops_no_other(fault, broken):
    drain = Drain(**fault)
    first, second = drain.run([3, 5])
    assert (first.shard, first.broken, first.problem) == (3, broken, broken)
    assert not drain.writers[3].completed
    assert (second.shard, second.broken, second.inputs_read) == (5, "", 2)


def test_no_batch_is_written_after_the_shard_is_broken():
    drain = Drain(batches=3, unwritable=[3])
    list(drain.run([3]))
    assert drain.taken == [(3, 0)]


def test_a_stop_ends_the_drain_after_the_batch_being_written():
    drain = Drain(batches=5, stops_at=(3, 1))
    assert list(drain.run([3, 5])) == []
    assert drain.taken == [(3, 0), (3, 1)]


@pytest.mark.parametrize(
    ("inputs_read", "written", "broken", "problem"),
    [(2, 1, "", ""), (0, 0, "", ""), (2, 0, "", "LML answered nothing"), (2, 0, "gone", "gone")],
)
def test_a_shard_without_any_answer_cannot_be_credited(inputs_read, written, broken, problem):
    assert ShardDone(0, Counters(written), inputs_read, broken).problem == problem


def test_a_shard_that_is_broken_is_not_completed():
    writer = Writer(0)
    assert ShardState(writer, problem="gone").finish(0).broken == "gone"
    assert not writer.completed
