"""Batches are requested ahead, written in order, and each is counted once."""

import threading

import psycopg
import pytest

from tests.run_harness import ConcurrentCalls
from tests.waiting import wait_for
from tests.wxyc_assets.assets.album_metadata.fake_lml import album_id_of, all_match, serve_lookups
from tests.wxyc_assets.assets.album_metadata.harness import GRACE, RETRY
from wxyc_assets.assets.album_metadata import store
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.drain import Drain
from wxyc_assets.assets.album_metadata.run_log import BatchLog
from wxyc_assets.assets.album_metadata.writer import ShardWriter
from wxyc_assets.runs.breaker_watch import BreakerWatch
from wxyc_assets.runs.progress import NoProgress


@pytest.fixture
def drain(albums):
    """A function that drains shards 0 to 3, ten albums each in batches of four, and returns how each ended, by shard."""

    def run_drain(url, *, shards=(0, 1, 2, 3), writer=ShardWriter, in_flight=8):
        with albums.lml(url) as lml, albums.postgres.connect() as connection:
            plan = store.plan(connection, shards, retry_after=RETRY, grace=GRACE, batch_size=4)
            shard_drain = Drain(
                connection,
                plan,
                lml,
                lambda connection, shard: writer(connection, "run", shard),
                BatchLog(albums.tools(lml).log, albums.sentry, plan.batches),
                NoProgress(),
                RETRY,
                25_000,
                BreakerWatch(lml, albums.tools(lml).log, NoProgress()),
                in_flight,
            )
            return {done.shard: done for done in shard_drain.run(shards)}

    return run_drain


def test_each_shard_is_processed_in_batches_of_its_own(drain):
    with serve_lookups(all_match) as lml:
        done = drain(lml.url)
    assert sorted(len(call) for call in lml.asked) == [2] * 4 + [4] * 8
    assert all(len({album_id_of(item) % 16 for item in call}) == 1 for call in lml.asked)
    assert {shard: (one.inputs_read, one.counters.match, one.problem) for shard, one in done.items()} == dict.fromkeys(
        range(4), (10, 10, "")
    )


@pytest.mark.parametrize("in_flight", [1, 3])
def test_in_flight_bounds_the_concurrent_calls(drain, in_flight):
    calls = ConcurrentCalls(all_match, in_flight)
    with serve_lookups(calls) as lml:
        drain(lml.url, in_flight=in_flight)
    assert calls.most == in_flight


def test_batches_are_written_in_order_whenever_answers_arrive(drain, albums):
    """LML answers the first batch of a shard only after it has answered a later one."""
    later_answered = {shard: threading.Event() for shard in range(4)}

    def first_batch_last(items):
        first_id = album_id_of(items[0])
        if first_id < 10:
            assert later_answered[first_id].wait(60)
        else:
            later_answered[first_id % 16].set()
        return all_match(items)

    with serve_lookups(first_batch_last) as lml:
        drain(lml.url)
    assert [line["batch_index"] for line in albums.steps("batch_done")] == list(range(1, 13))


def test_batch_is_written_while_a_later_call_is_in_flight(drain, albums):
    written: list[int] = []

    class WaitForTheSecondCall(ShardWriter):
        def write(self, albums, outcomes, extra, batch=0):
            if not written:
                wait_for(lambda: len(lml.asked) >= 2, "call of the second batch")
            written.append(len(albums))
            return super().write(albums, outcomes, extra, batch)

    with serve_lookups(all_match) as lml:
        done = drain(lml.url, writer=WaitForTheSecondCall, in_flight=1)
    assert [one.problem for one in done.values()] == [""] * 4
    assert len(written) == 12


def test_shard_that_cannot_be_written_is_broken_alone(drain, albums):
    class FullDisk(ShardWriter):
        def write(self, albums, outcomes, extra, batch=0):
            if self.shard == 1 and self.tallied.scanned:
                raise psycopg.errors.DiskFull("no space")
            return super().write(albums, outcomes, extra, batch)

    with serve_lookups(all_match) as lml:
        done = drain(lml.url, writer=FullDisk, in_flight=1)
    assert done[1].broken == done[1].problem == "database: DiskFull: no space"
    assert done[1].counters == Counters.from_stored(
        albums.rows("SELECT counters FROM wxyc_assets.tally WHERE partition_key = '1'")[0][0]
    )
    assert [done[shard].counters.match for shard in (0, 2, 3)] == [10, 10, 10]
    assert [line["shard"] for line in albums.steps("shard_failed")] == [1]
    # Later batches keep their numbers, although the rest of shard 1 was never requested.
    assert [line["batch_index"] for line in albums.steps("batch_done")] == [1, 2, 3, 4, *range(7, 13)]
