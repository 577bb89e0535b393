"""A run and other sessions: DJs who edit, sessions that lock rows, listeners, and the run's own locks."""

import threading

import psycopg

from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import add_play
from wxyc_assets.runs import advisory_locks
from wxyc_assets.runs.progress import NoProgress

SLOW = """
CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$;
CREATE TRIGGER take_time BEFORE UPDATE OF metadata_status ON flowsheet FOR EACH ROW EXECUTE FUNCTION take_time()
"""


def test_dj_waits_for_one_chunk_at_most(flowsheet):
    """A chunk takes over 20 ms here and the whole run over 960 ms. No statement of the DJ may wait longer than 600 ms."""
    flowsheet.execute(SLOW)
    flowsheet.chunk_plays = 10
    edits: list[int] = []
    failures: list[psycopg.Error] = []
    stopping = threading.Event()

    def dj():
        with flowsheet.postgres.connect() as connection:
            connection.execute("SET lock_timeout TO '600ms'")
            while not stopping.is_set():
                play_id = 6001 + len(edits)
                edits.append(play_id)
                try:
                    add_play(connection, play_id, 1, metadata_status="enriched_match")
                    connection.execute("UPDATE flowsheet SET track_title = 'x' WHERE id = %s", [1 + 7 * play_id % 480])
                except psycopg.Error as error:
                    failures.append(error)

    live = threading.Thread(target=dj)
    live.start()
    try:
        report = flowsheet.run()
    finally:
        stopping.set()
        live.join()
    assert report.verdict == "done", report.reason
    assert (report.counters.flipped, report.counters.locked) == (480, 0)
    assert failures == []
    assert len(edits) > 10


def test_play_locked_during_its_chunk_is_marked_at_the_end(flowsheet, small_chunks):
    with flowsheet.postgres.connect() as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT FROM flowsheet WHERE id = 20 FOR UPDATE")

        class CommitAfterFiveChunks(NoProgress):
            def advance(self, _count):
                if len(flowsheet.steps("chunk_done")) == 5:
                    holder.execute("COMMIT")

        flowsheet.progress = CommitAfterFiveChunks()
        report = flowsheet.run()
    assert (report.verdict, report.counters.flipped, report.counters.locked) == ("done", 480, 0)


def test_play_locked_until_the_end_is_counted_as_locked(flowsheet):
    with flowsheet.postgres.connect() as holder, holder.transaction():
        holder.execute("SELECT FROM flowsheet WHERE id = 20 FOR UPDATE")
        report = flowsheet.run()
    assert (report.verdict, failed_checks(report)) == ("anomaly", {"waiting_left_zero"})
    assert report.counters.scanned == report.counters.accounted == 480
    assert (report.counters.flipped, report.counters.locked) == (479, 1)
    assert flowsheet.steps("plays_locked")[0]["first_id"] == 20
    assert flowsheet.waiting() == {20}


def test_run_holds_the_locks_of_its_shards_and_its_run_id(flowsheet):
    held: list[set[str]] = []
    units = [advisory_locks.run_unit("r"), *(advisory_locks.unit("flowsheet_enrichment", s) for s in range(16))]
    flowsheet.add_live_track()

    def look(_seconds):
        with flowsheet.postgres.connect() as connection:
            held.append(advisory_locks.held_units(connection, units))
        flowsheet.remove_live_track()

    flowsheet.on_sleep = look
    flowsheet.run(run_id="r")
    assert held == [set(units)]


def test_listeners_get_one_notification_for_each_marked_play(flowsheet, small_chunks):
    (before,) = flowsheet.rows("SELECT last_modified_at FROM flowsheet_watermark")
    with flowsheet.postgres.connect() as listener:
        listener.execute("LISTEN cdc")
        report = flowsheet.run()
        received = list(listener.notifies(timeout=60, stop_after=480))
    assert len(received) == 480
    (after,) = flowsheet.rows("SELECT last_modified_at FROM flowsheet_watermark")
    assert after > before
    assert report.counters.chunks == 10
