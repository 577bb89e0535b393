"""One lane: pages are asked ahead, written in order, and every one of them is counted whatever becomes of it."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.wxyc_assets.library_identity.arbitrary_lml import all_single, ids, serving, single
from tests.wxyc_assets.library_identity.runs import RETRY, STALE
from wxyc_assets.library_identity import store
from wxyc_assets.library_identity.batch_log import BatchLog
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.drain import Drain, ShardDone
from wxyc_assets.library_identity.writers import ShardWriter, TallyOnly
from wxyc_assets.progress import Silent


@pytest.fixture
def drained(shelves):
    """Drains shards 0 to 3, 25 libraries each in pages of 10, and returns how each ended, by shard."""

    def drain(url, *, shards=(0, 1, 2, 3), writer_for=None, client=None, **overrides):
        with shelves.lml(url, **(client or {})) as lml, shelves.postgres.connect() as connection:
            as_of, upto_id = store.beginning(connection)
            one = Drain(
                connection,
                store.Selection(as_of, upto_id, STALE, RETRY),
                lml,
                writer_for or (lambda lane, shard: ShardWriter(lane, "run", shard)),
                BatchLog(shelves.tools(lml).log, shelves.sentry),
                Silent(),
                **{"page_size": 10, **overrides},
            )
            return {done.shard: done for done in one.run(shards)}

    return drain


def test_every_page_of_every_shard_is_asked_once_and_all_is_written(drained, shelves):
    with serving(all_single) as lml:
        done = drained(lml.url)
    assert [len(call) for call in lml.asked if len(call) != 10] == [5, 5, 5, 5]
    assert sorted(ids(lml)) == [one for one in range(1, 401) if one % 16 < 4]
    assert {
        shard: (one.inputs_read, one.counters.resolved, one.problem) for shard, one in done.items()
    } == dict.fromkeys(range(4), (25, 25, ""))
    assert len(shelves.rows("SELECT FROM library_identity")) == 100


def test_what_is_asked_is_what_the_library_says_and_no_tracks(drained, shelves):
    with serving(all_single) as lml:
        drained(lml.url, shards=[0])
    assert {body["include_tracks"] for body in lml.bodies} == {False}
    asked = {tuple(one.values()) for call in lml.asked for one in call}
    assert asked == set(
        shelves.rows("SELECT id, artist_name, album_title, legacy_release_id FROM library WHERE id % 16 = 0")
    )
    assert list(lml.asked[0][0]) == ["library_id", "artist_name", "album_title", "legacy_release_id"]


@pytest.mark.parametrize("in_flight", [1, 3])
def test_no_more_pages_are_asked_ahead_than_may_be_in_flight(drained, in_flight):
    now, most, lock = 0, 0, threading.Lock()

    def counting(inputs):
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with lock:
            now -= 1
        return all_single(inputs)

    with serving(counting) as lml:
        drained(lml.url, in_flight=in_flight)
    assert most == in_flight


def test_asking_goes_on_across_the_end_of_a_shard(drained):
    """Two shards of three pages each, and LML answers nothing before it was asked about all six."""
    everything_asked = threading.Barrier(6)

    def wait_for_all(inputs):
        everything_asked.wait(timeout=10)
        return all_single(inputs)

    with serving(wait_for_all) as lml:
        done = drained(lml.url, shards=[0, 1], in_flight=6)
    assert {one.problem for one in done.values()} == {""}


def test_batch_lines_add_up_from_line_to_line(drained, shelves):
    with serving(all_single) as lml:
        drained(lml.url)
    lines = shelves.steps("batch_done")
    assert [line["batch_index"] for line in lines] == list(range(1, 13))
    assert [line["scanned"] for line in lines] == [10, 20, 25, 35, 45, 50, 60, 70, 75, 85, 95, 100]
    assert lines[-1]["rows_resolved"] == 100
    assert lines[-1]["lml_total_calls"] == 12
    assert lines[2]["last_id"] == 400


def test_a_page_that_lml_does_not_answer_is_lost_alone_and_has_no_batch_line(drained, shelves):
    def fail_second_page(inputs):
        return (500, {}) if inputs[0]["library_id"] == 176 else all_single(inputs)

    with serving(fail_second_page) as lml:
        done = drained(lml.url, shards=[0], client={"attempts": 2})
    assert done[0].counters == Counters(
        scanned=25,
        resolved=15,
        lml_error=10,
        source_rows_skipped_null_confidence=15,
        lml_total_calls=4,
        lml_total_latency_ms=done[0].counters.lml_total_latency_ms,
    )
    assert done[0].problem == ""
    (error,) = shelves.steps("lml_error")
    assert (error["batch_index"], error["batch_size"], error["level"]) == (2, 10, "warn")
    assert "500" in error["error_message"]
    assert [line["batch_index"] for line in shelves.steps("batch_done")] == [1, 3]
    # Nothing of an unanswered page is marked: the next run asks again.
    assert shelves.rows("SELECT FROM library WHERE unresolved_attempted_at IS NOT NULL") == []


def test_a_shard_that_the_database_refuses_is_not_asked_to_its_end_and_the_next_is_done(drained, shelves):
    shelves.execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.library_id % 16 = 0 THEN "
        "RAISE insufficient_privilege; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER stop BEFORE INSERT ON library_identity FOR EACH ROW EXECUTE FUNCTION stop()"
    )
    with serving(all_single) as lml:
        done = drained(lml.url, shards=[0, 1], page_size=1, in_flight=2)
    assert done[0].broken.startswith("database: InsufficientPrivilege")
    assert done[0].counters == Counters()
    assert done[1].problem == ""
    assert done[1].counters.resolved == 25
    assert sum(one % 16 == 0 for one in ids(lml)) <= 3
    (failed,) = shelves.steps("shard_failed")
    assert (failed["shard"], failed["level"]) == (0, "error")


def test_what_a_failing_page_had_committed_is_in_the_totals_of_later_lines(drained, shelves):
    """Of page 16..160 the first half is committed without its guilty library, the second half is refused as a whole."""
    shelves.execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.library_id BETWEEN 96 AND 160 AND "
        "NEW.library_id % 16 = 0 THEN RAISE insufficient_privilege; END IF; RETURN NEW; END $$;"
        "CREATE TRIGGER stop BEFORE INSERT ON library_identity FOR EACH ROW EXECUTE FUNCTION stop();"
        "ALTER TABLE library_identity ADD CHECK (library_id <> 32)"
    )
    with serving(all_single) as lml:
        done = drained(lml.url, shards=[0, 1])
    assert done[0].broken
    assert (done[0].counters.resolved, done[0].counters.writer_error) == (4, 1)
    last = shelves.steps("batch_done")[-1]
    assert (last["scanned"], last["rows_skipped"]["writer_error"]) == (30, 1)
    stored = shelves.tallied("run")
    assert (stored["scanned"], stored["resolved"]) == (30, 29)


def test_stopping_waits_for_no_answer(drained):
    stopping = threading.Event()
    with serving(all_single) as lml, ThreadPoolExecutor(1) as pool:
        lml.say = lml.hang
        drain = pool.submit(drained, lml.url, stopping=stopping, client={"attempts": 1})
        while not lml.asked:
            time.sleep(0.01)
        before = time.monotonic()
        stopping.set()
        # A second of grace for the calls, in case they come back after all.
        assert drain.result(timeout=10) == {}
        assert time.monotonic() - before < 3


def test_a_stopped_lane_writes_no_further_page(drained, shelves):
    stopping = threading.Event()

    class StopsAfterOne(ShardWriter):
        def write(self, outcomes, beside):
            written = super().write(outcomes, beside)
            stopping.set()
            return written

    with serving(all_single) as lml:
        done = drained(lml.url, stopping=stopping, writer_for=lambda lane, shard: StopsAfterOne(lane, "run", shard))
    assert done == {}
    assert len(shelves.rows("SELECT FROM library_identity")) == 10
    assert shelves.tallied("run")["scanned"] == 10


def test_a_dry_writer_counts_and_writes_nothing(drained, shelves):
    with serving(lambda inputs: [*all_single(inputs), single(999_999)]) as lml:
        done = drained(lml.url, shards=[2], writer_for=lambda _lane, _shard: TallyOnly())
    assert (done[2].counters.resolved, done[2].counters.answers_untrusted) == (25, 3)
    assert shelves.rows("SELECT FROM library_identity") == []
    assert shelves.rows("SELECT FROM wxyc_assets.tally") == []
    assert shelves.rows("SELECT FROM wxyc_assets.quarantine") == []


def test_answers_that_belong_to_nobody_are_logged_and_on_record_without_making_anyone_rest(drained, shelves):
    def with_foreign(inputs):
        return [*all_single(inputs)[1:], single(999), None]

    with serving(with_foreign) as lml:
        for _ in range(4):
            drained(lml.url, shards=[0], page_size=100)
    assert [line["library_id"] for line in shelves.steps("lml_untrusted_library_id")] == [999, None] * 4
    (mismatch, *_) = shelves.steps("lml_cardinality_mismatch")
    assert (mismatch["inputs"], mismatch["results"], mismatch["missing"]) == (25, 26, 0)
    # First asked with all its siblings, then alone, and each time on record.
    assert shelves.rows("SELECT input_id, kind, failures, wait_until FROM wxyc_assets.quarantine") == [
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
def test_a_shard_that_lml_never_answered_or_the_database_lost_cannot_be_credited(done, problem):
    assert done.problem == problem
