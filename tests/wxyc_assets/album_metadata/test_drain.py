"""Batches are asked ahead, written in order, and counted once whatever becomes of them."""

import threading
import time

import psycopg
import pytest

from tests.wxyc_assets.album_metadata.arbitrary_lml import all_match, number, serving
from tests.wxyc_assets.album_metadata.runs import RETRY
from wxyc_assets.album_metadata import store
from wxyc_assets.album_metadata.batch_log import BatchLog
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.drain import Drain
from wxyc_assets.album_metadata.writer import ShardWriter
from wxyc_assets.progress import Silent


@pytest.fixture
def drained(played):
    """Drains shards 0 to 3, ten albums each in batches of four, and returns how each ended, by shard."""

    def drain(url, *, shards=(0, 1, 2, 3), writer=ShardWriter, in_flight=8):
        with played.lml(url) as lml, played.postgres.connect() as connection:
            plan = store.plan(connection, shards, retry_after=RETRY, batch_size=4)
            one = Drain(
                connection,
                plan,
                lml,
                lambda lane, shard: writer(lane, "run", shard),
                BatchLog(played.tools(lml).log, played.sentry, plan.batches),
                Silent(),
                RETRY,
                25_000,
                in_flight,
            )
            return {done.shard: done for done in one.run(shards)}

    return drain


def test_shards_are_walked_to_their_end_in_batches_of_their_own(drained):
    with serving(all_match) as lml:
        done = drained(lml.url)
    assert sorted(len(call) for call in lml.asked) == [2] * 4 + [4] * 8
    assert all(len({number(item) % 16 for item in call}) == 1 for call in lml.asked)
    assert {shard: (one.inputs_read, one.counters.match, one.problem) for shard, one in done.items()} == dict.fromkeys(
        range(4), (10, 10, "")
    )


@pytest.mark.parametrize("in_flight", [1, 3])
def test_no_more_batches_are_asked_at_once_than_may_be_in_flight(drained, in_flight):
    now, most, lock = 0, 0, threading.Lock()

    def counting(items):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return all_match(items)

    with serving(counting) as lml:
        drained(lml.url, in_flight=in_flight)
    assert most == in_flight


def test_batches_are_numbered_and_written_in_order_however_their_answers_come(drained, played):
    def last_first(items):
        time.sleep(0.15 if number(items[0]) < 10 else 0)
        return all_match(items)

    with serving(last_first) as lml:
        drained(lml.url)
    assert [line["batch_index"] for line in played.steps("batch_done")] == list(range(1, 13))


def test_a_batch_is_written_while_later_ones_are_being_asked(drained, played):
    asked_while_writing = []

    class Slow(ShardWriter):
        def write(self, albums, outcomes, beside):
            before = len(lml.asked)
            time.sleep(0.1)
            asked_while_writing.append(len(lml.asked) - before)
            return super().write(albums, outcomes, beside)

    def slowly(items):
        time.sleep(0.05)
        return all_match(items)

    with serving(slowly) as lml:
        drained(lml.url, writer=Slow, in_flight=1)
    assert max(asked_while_writing) >= 1


def test_a_shard_that_cannot_be_written_is_left_with_its_reason_and_the_others_go_on(drained, played):
    class Full(ShardWriter):
        def write(self, albums, outcomes, beside):
            if self.shard == 1 and self.tallied.scanned:
                raise psycopg.errors.DiskFull("no space")
            return super().write(albums, outcomes, beside)

    with serving(all_match) as lml:
        done = drained(lml.url, writer=Full, in_flight=1)
    assert done[1].broken == done[1].problem == "database: DiskFull: no space"
    assert done[1].counters == Counters.from_stored(
        played.rows("SELECT counters FROM wxyc_assets.tally WHERE partition_key = '1'")[0][0]
    )
    assert [done[shard].counters.match for shard in (0, 2, 3)] == [10, 10, 10]
    assert [line["shard"] for line in played.steps("shard_failed")] == [1]
    # What comes after keeps its number, although the rest of shard 1 was never asked about.
    assert [line["batch_index"] for line in played.steps("batch_done")] == [1, 2, 3, 4, *range(7, 13)]
