"""Runs that lose their database, are killed or interrupted, or meet a defect: what they committed is counted exactly."""

import random
import signal
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from resources.lml.models import BulkLookupAnswer, Health
from tests.outage import Outage
from tests.run_harness import assert_stopped_without_its_locks, child
from tests.waiting import wait_for
from tests.wxyc_assets.assets.album_metadata.fake_lml import all_match, mixed, serve_lookups
from tests.wxyc_assets.assets.album_metadata.harness import AlbumMetadataRuns, request
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.run import RunReport, run

RUN_PROCESS = "tests.wxyc_assets.assets.album_metadata.run_process"


def test_run_that_loses_its_sessions_keeps_what_it_committed(albums):
    def kill_after_five_batches(items):
        if len(lml.asked) == 20:
            wait_for(lambda: len(albums.steps("batch_done")) >= 5, "five written batches")
            albums.kill_sessions()
        return mixed(items)

    with serve_lookups(kill_after_five_batches) as lml:
        report = albums.run(lml.url)
    assert report.verdict == "failed"
    assert "database" in report.reason
    tallied = Counters.from_stored(albums.tallied(report.request.run_id))
    assert 25 <= tallied.scanned == tallied.accounted < 160
    assert tallied.upserts == len(albums.metadata())
    assert tallied.no_match == len(albums.rows("SELECT FROM wxyc_assets.album_no_match"))
    credited = {(str(shard),) for shard in albums.credited}
    assert set(albums.rows("SELECT partition_key FROM wxyc_assets.tally WHERE complete")) == credited
    with serve_lookups(mixed) as lml:
        again = albums.run(lml.url)
    assert again.verdict == "done", again.reason
    assert albums.releases() == {one: one for one in range(1, 161) if one % 10 > 2}


def test_row_blocked_beyond_the_timeout_fails_its_shard(albums):
    """The other shards are done."""
    albums.execute("INSERT INTO album_metadata (album_id, updated_at) VALUES (17, '2020-01-01')")
    impatient = AlbumMetadataRuns(replace(albums.postgres, statement_timeout_ms=3000))
    with albums.postgres.connect() as other, other.transaction():
        other.execute("SELECT FROM album_metadata WHERE album_id = 17 FOR UPDATE")
        with serve_lookups(all_match) as lml:
            report = impatient.run(lml.url)
    assert report.verdict == "failed"
    assert report.reason.startswith("shard 1: database: QueryCanceled")
    assert sorted(impatient.credited) == [0, *range(2, 16)]
    assert impatient.rows("SELECT FROM wxyc_assets.quarantine") == []


def test_run_fails_during_an_outage_and_the_next_does_the_rest(albums, server):
    outage = Outage(server.dsn("postgres"), albums.postgres)

    def begin_after_five_batches(items):
        if len(lml.asked) == 20:
            wait_for(lambda: len(albums.steps("batch_done")) >= 5, "five written batches")
            outage.begin()
        return mixed(items)

    try:
        with serve_lookups(begin_after_five_batches) as lml:
            report = albums.run(lml.url)
    finally:
        outage.end()
    assert (report.verdict, "not currently accepting connections" in report.reason) == ("failed", True)
    assert {line["step"] for line in albums.lines[-2:]} == {"finished", "failed"}
    assert 25 <= albums.steps("finished")[0]["scanned"] == report.counters.scanned < 160
    ((verdict, ended_at),) = albums.rows("SELECT verdict, ended_at FROM wxyc_assets.run")
    assert (verdict, ended_at) == (None, None)  # the ledger shows a dead run
    tallied = Counters.from_stored(albums.tallied(report.request.run_id))
    assert tallied.scanned == tallied.accounted
    assert tallied.upserts == len(albums.metadata())
    assert tallied.no_match == len(albums.rows("SELECT FROM wxyc_assets.album_no_match"))
    with serve_lookups(mixed) as lml:
        again = albums.run(lml.url)
    assert (again.verdict, again.counters.scanned) == ("done", 160)
    assert set(albums.metadata()) == {one for one in range(1, 161) if one % 10 > 2}


def test_tally_of_a_killed_run_counts_what_it_wrote(albums):
    """The next run does the rest."""

    def slowly(items):
        time.sleep(0.05)
        return mixed(items)

    chance = random.Random(7)
    died = 0
    with serve_lookups(slowly) as lml:
        for attempt in range(3):
            run_id = f"killed {attempt}"
            with child(RUN_PROCESS, albums.postgres.dsn, lml.url, run_id) as process:
                calls = len(lml.asked) + chance.randrange(10, 20)
                while len(lml.asked) < calls and process.poll() is None:
                    time.sleep(0.002)
                time.sleep(chance.random() * 0.05)
                process.kill()
                died += process.wait() == -signal.SIGKILL
            albums.wait_until_alone()
            tallied = Counters.from_stored(albums.tallied(run_id))
            assert tallied.scanned == tallied.accounted
            assert tallied.match == tallied.rows_accounted
        assert died > 1
        report = albums.run(lml.url)  # the locks of the killed runs ended with their sessions
    assert report.verdict == "done", report.reason
    assert albums.releases() == {one: one for one in range(1, 161) if one % 10 > 2}


def test_interrupted_run_ends_while_its_lml_calls_still_hang(albums):
    with serve_lookups(all_match) as lml, child(RUN_PROCESS, albums.postgres.dsn, lml.url, "interrupted") as process:
        albums.assert_ends_on_interrupt(process, lml, "interrupted")


def test_defect_fails_the_run_and_reaches_the_caller(albums):
    no_list: Any = 7

    class Broken:
        def bulk_lookup(self, _items, **_options):
            return BulkLookupAnswer.model_construct(results=no_list)

        def health(self):
            return Health()

    with pytest.raises(TypeError):
        run(request(), albums.tools(Broken()), lambda _done: None)
    (line,) = albums.steps("failed")
    assert (line["level"], line["error_name"]) == ("error", "TypeError")
    assert albums.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]


def test_run_without_its_locks_writes_nothing_beside_a_second(albums):
    """Only the session of the locks is ended; a second run starts while the first holds answers that it has not written."""
    second: list[RunReport] = []
    kept: dict[str, int] = {}
    once = threading.Lock()

    def end_locks_and_run_again(items):
        if len(lml.asked) >= 12 and once.acquire(blocking=False):
            wait_for(lambda: len(albums.steps("batch_done")) >= 2, "two written batches")
            albums.end_lock_session("first")
            kept.update(albums.tallied("first"))
            with serve_lookups(all_match) as other:
                second.append(AlbumMetadataRuns(albums.postgres).run(other.url))
        return all_match(items)

    with serve_lookups(end_locks_and_run_again) as lml:
        first = albums.run(lml.url, run_id="first")
        wait_for(lambda: second, "end of the second run")
    assert_stopped_without_its_locks(first)
    assert second[0].verdict == "done"
    assert albums.tallied("first") == first.counters.stored() == kept  # nothing was written after the loss
    assert 10 <= first.counters.scanned < 160
