"""Lanes work side by side, end when nobody listens any more, and carry what they die of to the caller."""

import threading
import time
from contextlib import closing
from dataclasses import replace

import pytest

from wxyc_assets.library_identity import lanes as lanes_module
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.drain import ShardDone
from wxyc_assets.library_identity.lanes import LANES, run_lanes


class Fake:
    """A drain whose shards end at once, unless told otherwise."""

    def __init__(self, connection, stopping, each=lambda _shard, _lane: None):
        self.connection, self.stopping, self.each = connection, stopping, each

    def run(self, shards):
        for shard in shards:
            if self.stopping.is_set():
                return
            self.each(shard, self)
            yield ShardDone(shard, Counters(scanned=1), 1)


def lane_threads():
    return [thread for thread in threading.enumerate() if thread.name == "lane"]


def test_every_shard_is_yielded_once_over_connections_of_their_own(station):
    sessions = {}

    def note(shard, lane):
        sessions[shard] = lane.connection.info.backend_pid

    done = list(run_lanes(station, list(range(5)), lambda *lane: Fake(*lane, note)))
    assert sorted(one.shard for one in done) == list(range(5))
    assert len(set(sessions.values())) == LANES
    assert {sessions[0], sessions[2], sessions[4]} & {sessions[1], sessions[3]} == set()
    assert lane_threads() == []


def test_no_shards_need_no_lane(station):
    assert list(run_lanes(station, [], Fake)) == []


def test_a_lane_without_a_connection_reports_each_of_its_shards(station):
    nowhere = replace(station, dsn="postgresql://x@127.0.0.1:9/x", connect_timeout_s=2)
    done = list(run_lanes(nowhere, [3, 4, 5], Fake))
    assert sorted(one.shard for one in done) == [3, 4, 5]
    assert all(one.broken.startswith("database: ") and one.counters == Counters() for one in done)


def test_a_defect_in_a_lane_reaches_the_caller_and_the_other_lane_stops(station):
    def fail_or_wait(shard, lane):
        if shard == 1:
            raise ZeroDivisionError
        lane.stopping.wait(10)

    with (
        pytest.raises(ZeroDivisionError),
        closing(run_lanes(station, [0, 1, 2], lambda *lane: Fake(*lane, fail_or_wait))) as ended,
    ):
        list(ended)
    assert lane_threads() == []


def test_closing_stops_the_lanes_after_what_they_are_at(station):
    begun = []

    def slowly(shard, _lane):
        begun.append(shard)
        time.sleep(0.005)

    with closing(run_lanes(station, list(range(1000)), lambda *lane: Fake(*lane, slowly))) as ended:
        next(ended)
    assert len(begun) < 500
    assert lane_threads() == []


def test_a_lane_that_is_stuck_in_the_database_is_cancelled_when_patience_ends(station, monkeypatch):
    monkeypatch.setattr(lanes_module, "PATIENCE_S", 0.2)
    stuck = threading.Event()

    def sleep_in_the_database(shard, lane):
        if shard == 1:
            stuck.set()
            lane.connection.execute("SELECT pg_sleep(30)")

    before = time.monotonic()
    with closing(run_lanes(station, [0, 1], lambda *lane: Fake(*lane, sleep_in_the_database))) as ended:
        next(ended)
        assert stuck.wait(5)
    assert time.monotonic() - before < 5
    assert lane_threads() == []
