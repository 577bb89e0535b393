"""One lane: pages are requested ahead, written in order, and each is counted."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.run_harness import ConcurrentCalls
from tests.waiting import wait_for
from tests.wxyc_assets.assets.library_identity.fake_lml import (
    all_single_artists,
    requested_ids,
    serve_verdicts,
    single_artist,
)
from tests.wxyc_assets.assets.library_identity.harness import RETRY, STALE
from wxyc_assets.assets.library_identity import store
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.drain import Drain, DrainLane
from wxyc_assets.assets.library_identity.run_log import BatchLog
from wxyc_assets.assets.library_identity.writer import DryRunWriter, ShardWriter
from wxyc_assets.runs.breaker_watch import BreakerWatch
from wxyc_assets.runs.progress import NoProgress
from wxyc_assets.runs.shard_drain import ShardDone


@pytest.fixture
def drain(library):
    """A function that drains shards 0 to 3, 25 libraries each in pages of 10, and returns how each ended, by shard."""

    def run_drain(url, *, shards=(0, 1, 2, 3), writer_for=None, client=None, **overrides):
        with library.lml(url, **(client or {})) as lml, library.postgres.connect() as connection:
            as_of, upto_id = store.run_start(connection)
            lane_drain = Drain(
                connection,
                store.Selection(as_of, upto_id, STALE, RETRY),
                lml,
                writer_for or (lambda connection, shard: ShardWriter(connection, "run", shard)),
                BatchLog(library.tools(lml).log, library.sentry),
                NoProgress(),
                BreakerWatch(lml, library.tools(lml).log, NoProgress()),
                **{"page_size": 10, **overrides},
            )
            return {done.shard: done for done in lane_drain.run(shards)}

    return run_drain


def test_every_page_of_every_shard_is_requested_and_written_once(drain, library):
    with serve_verdicts(all_single_artists) as lml:
        done = drain(lml.url)
    assert [len(call) for call in lml.asked if len(call) != 10] == [5, 5, 5, 5]
    assert sorted(requested_ids(lml)) == [one for one in range(1, 401) if one % 16 < 4]
    assert {
        shard: (one.inputs_read, one.counters.resolved, one.problem) for shard, one in done.items()
    } == dict.fromkeys(range(4), (25, 25, ""))
    assert len(library.rows("SELECT FROM library_identity")) == 100


def test_request_has_the_librarys_columns_and_no_tracks(drain, library):
    with serve_verdicts(all_single_artists) as lml:
        drain(lml.url, shards=[0])
    assert {body["include_tracks"] for body in lml.bodies} == {False}
    asked = {tuple(one.values()) for call in lml.asked for one in call}
    assert asked == set(
        library.rows("SELECT id, artist_name, album_title, legacy_release_id FROM library WHERE id % 16 = 0")
    )
    assert list(lml.asked[0][0]) == ["library_id", "artist_name", "album_title", "legacy_release_id"]


@pytest.mark.parametrize("in_flight", [1, 3])
def test_in_flight_bounds_the_concurrent_calls(drain, in_flight):
    calls = ConcurrentCalls(all_single_artists, in_flight)
    with serve_verdicts(calls) as lml:
        drain(lml.url, in_flight=in_flight)
    assert calls.most == in_flight


def test_calls_continue_across_the_end_of_a_shard(drain):
    """LML answers only once it has all six pages of the two shards."""
    all_requested = threading.Barrier(6)

    def wait_for_all(inputs):
        all_requested.wait(timeout=60)
        return all_single_artists(inputs)

    with serve_verdicts(wait_for_all) as lml:
        done = drain(lml.url, shards=[0, 1], in_flight=6)
    assert {one.problem for one in done.values()} == {""}


def test_batch_lines_have_cumulative_totals(drain, library):
    with serve_verdicts(all_single_artists) as lml:
        drain(lml.url)
    lines = library.steps("batch_done")
    assert [line["batch_index"] for line in lines] == list(range(1, 13))
    assert [line["scanned"] for line in lines] == [10, 20, 25, 35, 45, 50, 60, 70, 75, 85, 95, 100]
    assert lines[-1]["rows_resolved"] == 100
    assert lines[-1]["lml_total_calls"] == 12
    assert lines[2]["last_id"] == 400


def test_unanswered_page_is_lost_alone_without_a_batch_line(drain, library):
    def fail_second_page(inputs):
        return (500, {}) if inputs[0]["library_id"] == 176 else all_single_artists(inputs)

    with serve_verdicts(fail_second_page) as lml:
        done = drain(lml.url, shards=[0], client={"attempts": 2})
    assert done[0].counters == Counters(
        scanned=25,
        resolved=15,
        lml_error=10,
        source_rows_skipped_null_confidence=15,
        lml_total_calls=4,
        lml_total_latency_ms=done[0].counters.lml_total_latency_ms,
    )
    assert done[0].problem == ""
    (error,) = library.steps("lml_error")
    assert (error["batch_index"], error["batch_size"], error["level"]) == (2, 10, "warn")
    assert "500" in error["error_message"]
    assert [line["batch_index"] for line in library.steps("batch_done")] == [1, 3]
    # No library of an unanswered page has a marker, so that the next run asks again.
    assert library.rows("SELECT FROM library WHERE unresolved_attempted_at IS NOT NULL") == []


def test_drain_stops_asking_for_a_shard_that_it_cannot_write(drain, library):
    """The next shard is done."""
    library.execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.library_id % 16 = 0 THEN "
        "RAISE insufficient_privilege; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER stop BEFORE INSERT ON library_identity FOR EACH ROW EXECUTE FUNCTION stop()"
    )
    with serve_verdicts(all_single_artists) as lml:
        done = drain(lml.url, shards=[0, 1], page_size=1, in_flight=2)
    assert done[0].broken.startswith("database: InsufficientPrivilege")
    assert done[0].counters == Counters()
    assert done[1].problem == ""
    assert done[1].counters.resolved == 25
    assert sum(one % 16 == 0 for one in requested_ids(lml)) <= 3
    (failed,) = library.steps("shard_failed")
    assert (failed["shard"], failed["level"]) == (0, "error")


def test_later_lines_count_what_a_failing_page_committed(drain, library):
    """The first half of page 16..160 is committed without library 32; the second half is refused as a whole."""
    library.execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.library_id BETWEEN 96 AND 160 AND "
        "NEW.library_id % 16 = 0 THEN RAISE insufficient_privilege; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER stop BEFORE INSERT ON library_identity FOR EACH ROW EXECUTE FUNCTION stop();"
        "ALTER TABLE library_identity ADD CHECK (library_id <> 32)"
    )
    with serve_verdicts(all_single_artists) as lml:
        done = drain(lml.url, shards=[0, 1])
    assert done[0].broken
    assert (done[0].counters.resolved, done[0].counters.writer_error) == (4, 1)
    last = library.steps("batch_done")[-1]
    assert (last["scanned"], last["rows_skipped"]["writer_error"]) == (30, 1)
    stored = library.tallied("run")
    assert (stored["scanned"], stored["resolved"]) == (30, 29)


def test_stop_does_not_wait_for_an_answer(drain):
    """Each call would hang for 60 s."""
    stopping = threading.Event()
    client = {"attempts": 1, "timeouts_s": {"bulk_resolve_libraries": 60}}
    with serve_verdicts(all_single_artists) as lml, ThreadPoolExecutor(1) as pool:
        lml.say = lml.hang
        draining = pool.submit(drain, lml.url, stopping=stopping, client=client)
        wait_for(lambda: lml.asked, "call")
        stopping.set()
        assert draining.result(timeout=40) == {}
        assert not lml.released.is_set()


def test_stopped_drain_writes_no_further_page(drain, library):
    stopping = threading.Event()

    class StopAfterOnePage(ShardWriter):
        def write(self, outcomes, extra, batch=0):
            written = super().write(outcomes, extra, batch)
            stopping.set()
            return written

    with serve_verdicts(all_single_artists) as lml:
        done = drain(
            lml.url, stopping=stopping, writer_for=lambda connection, shard: StopAfterOnePage(connection, "run", shard)
        )
    assert done == {}
    assert len(library.rows("SELECT FROM library_identity")) == 10
    assert library.tallied("run")["scanned"] == 10


def test_dry_run_writer_counts_and_writes_nothing(drain, library):
    with serve_verdicts(lambda inputs: [*all_single_artists(inputs), single_artist(999_999)]) as lml:
        done = drain(lml.url, shards=[2], writer_for=lambda connection, _shard: DryRunWriter(connection))
    assert (done[2].counters.resolved, done[2].counters.answers_untrusted) == (25, 3)
    assert library.rows("SELECT FROM library_identity") == []
    assert library.rows("SELECT FROM wxyc_assets.tally") == []
    assert library.rows("SELECT FROM wxyc_assets.quarantine") == []


def test_untrusted_answers_are_logged_and_quarantined(drain, library):
    """The quarantine never makes a library wait."""

    def with_foreign(inputs):
        return [*all_single_artists(inputs)[1:], single_artist(999), None]

    with serve_verdicts(with_foreign) as lml:
        for _ in range(4):
            drain(lml.url, shards=[0], page_size=100)
    assert [line["library_id"] for line in library.steps("lml_untrusted_library_id")] == [999, None] * 4
    (mismatch, *_) = library.steps("lml_cardinality_mismatch")
    assert (mismatch["inputs"], mismatch["results"], mismatch["missing"]) == (25, 26, 0)
    # The first run asks about library 16 with its page, the others about it alone.
    assert library.rows("SELECT input_id, kind, failures, wait_until FROM wxyc_assets.quarantine") == [
        (16, "answers_untrusted", 4, None)
    ]


@pytest.mark.parametrize(
    ("done", "problem"),
    [
        (ShardDone(0, Counters(), 0), ""),
        (ShardDone(0, Counters(scanned=2, lml_error=1, resolved=1), 2), ""),
        (ShardDone(0, Counters(scanned=2, lml_error=2), 2), "LML answered nothing"),
        (ShardDone(0, Counters(scanned=2, resolved=2), 2, "database: gone"), "database: gone"),
    ],
)
def test_unanswered_or_broken_shard_has_a_problem(done, problem):
    assert done.problem == problem


class OneStatement:
    """A drain that runs one statement for each shard on its lane's connection."""

    def __init__(self, connection, statement):
        self.connection, self.statement = connection, statement

    def run(self, shards):
        for shard in shards:
            self.connection.execute(self.statement)
            yield ShardDone(shard, Counters(scanned=1), 1)


def test_lane_without_a_connection_reports_each_of_its_shards(library):
    nowhere = replace(library.postgres, dsn="postgresql://x@127.0.0.1:9/x", connect_timeout_s=2)
    done = list(DrainLane(nowhere, [3, 4], lambda _connection: pytest.fail("a drain was started")).run())
    assert [one.shard for one in done] == [3, 4]
    assert all(one.broken.startswith("database: ") and one.counters == Counters() for one in done)


def test_cancel_ends_the_statement_that_a_lane_runs(library):
    stuck = threading.Event()

    def drain_on(connection):
        stuck.set()
        return OneStatement(connection, "SELECT pg_sleep(600)")

    lane = DrainLane(library.postgres, [0], drain_on)
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(lambda: list(lane.run()))
        assert stuck.wait(60)
        while not ended.done():
            lane.cancel()
            time.sleep(0.05)
        (done,) = ended.result()
    assert "canceling statement" in done.broken


def test_each_lane_has_a_connection_of_its_own(library):
    pids: list[int] = []

    def drain_on(connection):
        pids.append(connection.info.backend_pid)
        return OneStatement(connection, "SELECT 1")

    lanes = [DrainLane(library.postgres, [shard], drain_on) for shard in (0, 1)]
    assert [one.shard for lane in lanes for one in lane.run()] == [0, 1]
    assert len(set(pids)) == 2
