"""A whole pass over a real flowsheet: what it marks, counts, says and leaves behind, whatever happens."""

import signal
import threading
import time

import psycopg
import pytest

from resources.postgres import Postgres
from tests.station_runs import Told, child
from tests.wxyc_assets.flowsheet_enrichment.passes import PLAYS, Passes, add_play, request, tally_metadata
from wxyc_assets import single_flight
from wxyc_assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.flowsheet_enrichment.run import run
from wxyc_assets.flowsheet_enrichment.walk import CHUNK_PLAYS
from wxyc_assets.progress import Silent
from wxyc_assets.revision import MigrationError

A_PASS = "tests.wxyc_assets.flowsheet_enrichment.a_pass"
CONTRACT = """
UPDATE flowsheet f SET metadata_status='enriched_match', metadata_attempt_at=COALESCE(f.metadata_attempt_at, now())
FROM album_metadata am WHERE f.album_id=am.album_id AND f.metadata_status='pending' AND f.album_id IS NOT NULL
AND f.entry_type='track' AND f.artist_name IS NOT NULL
"""


@pytest.fixture
def small_chunks(played):
    """Chunks of 50 plays."""
    played.chunk_plays = 50


def failed(report):
    return {finding.name for finding in report.findings if not finding.passed}


def play_live(passes, age="1 second"):
    """A DJ plays a track."""
    with passes.postgres.connect() as connection:
        add_play(connection, 5000, None, metadata_status="enriched_match", age=age)


# What a pass marks and counts


def test_a_pass_marks_what_the_predecessors_one_statement_marks(played, small_chunks):
    played.execute("UPDATE flowsheet SET metadata_attempt_at = '2026-01-02 03:04:05+00' WHERE id % 3 = 0")
    played.execute("UPDATE flowsheet SET artist_name = NULL WHERE id % 5 = 0")
    played.execute("UPDATE flowsheet SET metadata_status = 'enriched_no_match' WHERE id % 7 = 0")
    played.execute("DELETE FROM album_metadata WHERE album_id % 11 = 0")
    with played.postgres.connect() as connection, connection.transaction(force_rollback=True):
        expected = connection.execute(CONTRACT).rowcount
        wanted = [(one, status, attempt is not None) for one, status, attempt in connection.execute(PLAYS)]
    report = played.run()
    assert (report.verdict, report.reason, failed(report)) == ("done", "", set())
    assert [(one, status, attempt is not None) for one, status, attempt in played.rows(PLAYS)] == wanted
    assert (report.counters.scanned, report.counters.flipped) == (expected, expected)
    assert report.counters.chunks == -(-expected // 50)


def test_every_shard_is_credited_once_with_its_own_counts_and_tallied_as_complete(played):
    report = played.run()
    assert [done.shard for done in played.credited] == list(range(16))
    assert {done.counters.flipped for done in played.credited} == {30}
    stored = played.rows("SELECT partition_key, counters, complete FROM wxyc_assets.tally")
    assert {int(key): (Counters.from_stored(counters), complete) for key, counters, complete in stored} == {
        shard: (counters, True) for shard, counters in report.tallied.items()
    }
    assert played.rows("SELECT asset, origin, verdict, reason, ended_at >= started_at FROM wxyc_assets.run") == [
        ("flowsheet_enrichment", "explicit", "done", None, True)
    ]


def test_a_second_pass_finds_nothing_and_is_credited_all_the_same(played):
    played.run()
    again = played.run()
    assert (again.verdict, again.counters) == ("done", Counters())
    assert len(played.credited) == 32


def test_only_plays_of_the_shards_asked_for_are_marked(played, small_chunks):
    report = played.run(shards=[3, 5])
    assert report.counters.flipped == 60
    marked = played.rows("SELECT DISTINCT album_id % 16 FROM flowsheet WHERE metadata_status <> 'pending' ORDER BY 1")
    assert marked == [(3,), (5,)]
    assert [done.shard for done in played.credited] == [3, 5]


# Trust


def test_a_shard_whose_latest_metadata_run_met_unexpected_indexes_is_refused_by_name_and_the_others_are_done(played):
    tally_metadata(played.postgres, 4, 2, age="1 minute")
    tally_metadata(played.postgres, 5, 0, age="1 minute")
    report = played.run()
    assert report.verdict == "failed"
    assert report.reason.startswith("shard 4: its latest album_metadata run (metadata-")
    assert failed(report) == {"metadata_trusted"}
    assert report.counters.flipped == 450
    assert [done.shard for done in played.credited] == [shard for shard in range(16) if shard != 4]
    assert {row[0] for row in played.rows("SELECT album_id % 16 FROM flowsheet WHERE metadata_status = 'pending'")} == {
        4
    }
    (line,) = played.steps("shard_refused")
    assert (line["level"], line["shard"]) == ("warn", 4)
    tally_metadata(played.postgres, 4, 0, age="0 minutes")
    assert played.run(shards=[4]).verdict == "done"
    assert played.waiting() == set()


def test_when_every_shard_is_refused_nothing_is_touched(played):
    for shard in range(16):
        tally_metadata(played.postgres, shard, 1, age="1 minute")
    report = played.run()
    assert (report.verdict, report.counters, failed(report)) == ("failed", Counters(), {"metadata_trusted"})
    assert len(played.waiting()) == 480
    assert played.credited == []


# Live DJs


def test_a_pass_waits_before_its_first_chunk_until_the_dj_has_gone_quiet_and_shows_how_long(played):
    play_live(played)

    def go_quiet(_seconds):
        if len(played.slept) == 3:
            played.execute("UPDATE flowsheet SET add_time = now() - interval '1 hour' WHERE id = 5000")
        else:
            assert len(played.waiting()) == 480

    played.on_sleep = go_quiet
    report = played.run()
    assert report.verdict == "done", report.reason
    assert played.slept == [30.0] * 3
    assert report.counters.paused_ms == 90_000
    assert {done.run_paused_ms for done in played.credited} == {90_000}
    assert len(played.steps("live_activity_pause")) == len(played.told) == 3
    assert played.waiting() == set()


def test_a_dj_who_starts_in_the_middle_stops_the_pass_between_two_chunks(played, small_chunks):
    def quiet(_seconds):
        seen.append(len(played.waiting()))
        played.execute("DELETE FROM flowsheet WHERE id = 5000")

    class Dj(Silent):
        def advance(self, _count):
            if not seen and len(played.steps("chunk_done")) == 4:
                play_live(played)

    seen = []
    played.on_sleep, played.progress = quiet, Dj()
    report = played.run()
    assert seen == [280]
    assert (report.counters.paused_ms, report.counters.flipped) == (30_000, 480)


def test_a_station_that_never_sleeps_is_enriched_after_half_an_hour_with_a_warning(played, small_chunks):
    play_live(played)
    report = played.run()
    assert report.verdict == "done", report.reason
    assert (len(played.slept), report.counters.paused_ms) == (60, 1_800_000)
    (warning,) = played.steps("live_activity_pause_ceiling_exceeded")
    assert warning["level"] == "warn"
    assert played.waiting() == set()


def test_a_lookback_of_zero_never_waits(played):
    play_live(played)
    assert played.run(lookback_s=0).verdict == "done"
    assert played.slept == []


SLOW = """
CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$;
CREATE TRIGGER take_time BEFORE UPDATE OF metadata_status ON flowsheet FOR EACH ROW EXECUTE FUNCTION take_time()
"""


def test_a_dj_who_inserts_and_edits_all_along_waits_no_longer_than_a_chunk(played, small_chunks):
    """A chunk takes over 0.1 s here, and the whole pass over a second; every statement of the DJ waits 0.6 s at most."""
    played.execute(SLOW)
    edits, failures, stopping = [], [], threading.Event()

    def dj():
        with played.postgres.connect() as connection:
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
        report = played.run()
    finally:
        stopping.set()
        live.join()
    assert report.verdict == "done", report.reason
    assert (report.counters.flipped, report.counters.locked) == (480, 0)
    assert failures == []
    assert len(edits) > 10


# Others at work


def test_a_play_that_somebody_held_when_its_chunk_came_is_marked_at_the_end(played, small_chunks):
    with played.postgres.connect() as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT FROM flowsheet WHERE id = 20 FOR UPDATE")
        played.on_sleep = lambda _seconds: None

        class LetGo(Silent):
            def advance(self, _count):
                if len(played.steps("chunk_done")) == 5:
                    holder.execute("COMMIT")

        played.progress = LetGo()
        report = played.run()
    assert (report.verdict, report.counters.flipped, report.counters.locked) == ("done", 480, 0)


def test_a_play_that_somebody_holds_all_along_is_left_and_said_to_be(played):
    with played.postgres.connect() as holder, holder.transaction():
        holder.execute("SELECT FROM flowsheet WHERE id = 20 FOR UPDATE")
        report = played.run()
    assert (report.verdict, failed(report)) == ("anomaly", {"waiting_left_zero"})
    assert report.counters.scanned == report.counters.accounted == 480
    assert (report.counters.flipped, report.counters.locked) == (479, 1)
    assert played.steps("plays_locked")[0]["first_id"] == 20
    assert played.waiting() == {20}


def test_a_locked_shard_is_refused_by_its_holders_name_and_the_others_are_done(played):
    with single_flight.run_locks(played.postgres, "the-other-run") as locks:
        locks.take([single_flight.unit("flowsheet_enrichment", 4)])
        report = played.run()
    assert report.verdict == "failed"
    assert "the-other-run" in report.reason
    assert "flowsheet_enrichment/4" in report.reason
    assert report.counters.flipped == 450


def test_a_pass_holds_its_shards_and_its_own_id_until_it_has_ended(played):
    held = []
    play_live(played)

    def look(_seconds):
        units = [single_flight.run_unit("r"), *(single_flight.unit("flowsheet_enrichment", s) for s in range(16))]
        with played.postgres.connect() as connection:
            held.append(len(single_flight.held_units(connection, units)))
        played.execute("DELETE FROM flowsheet WHERE id = 5000")

    played.on_sleep = look
    played.run(run_id="r")
    assert held == [17]


# Faults


def test_a_database_that_dies_in_mid_pass_fails_the_run_and_loses_nothing_that_was_committed(played, small_chunks):
    class Killer(Silent):
        def advance(self, _count):
            if len(played.steps("chunk_done")) == 3:
                played.kill_sessions()

    played.progress = Killer()
    report = played.run()
    assert report.verdict == "failed"
    assert "database: " in report.reason
    assert report.counters == Counters(scanned=150, flipped=150, chunks=3)
    assert len(played.waiting()) == 330
    assert played.rows("SELECT sum((counters->>'flipped')::int) FROM wxyc_assets.tally") == [(150,)]
    assert played.credited == []
    assert played.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]
    assert [line["step"] for line in played.lines[-2:]] == ["finished", "failed"]
    assert played.steps("post_pass_update_done") == []
    again = Passes(played.postgres).run()
    assert (again.verdict, again.counters.flipped) == ("done", 330)


def test_a_play_that_the_table_refuses_is_left_and_said_to_be_and_the_rest_is_marked(played, small_chunks):
    played.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cursed'; END $$;"
        "CREATE TRIGGER refuse BEFORE UPDATE ON flowsheet FOR EACH ROW WHEN (NEW.id = 77) EXECUTE FUNCTION refuse()"
    )
    report = played.run()
    assert (report.verdict, failed(report)) == ("anomaly", {"writer_errors_zero", "waiting_left_zero"})
    assert (report.counters.flipped, report.counters.writer_error) == (479, 1)
    assert played.waiting() == {77}
    (line,) = played.steps("writer_error")
    assert line["flowsheet_id"] == 77
    assert "cursed" in line["error_message"]


def test_a_database_without_our_schema_is_refused(database):
    passes = Passes(Postgres(database))
    with pytest.raises(MigrationError, match="wxyc migrate"):
        passes.run()
    assert [(line["step"], line["error_name"]) for line in passes.lines] == [("failed", "MigrationError")]


def test_an_exception_while_crediting_fails_the_run_on_record(played):
    def refuse(_done):
        raise ConnectionError("Dagster's storage is gone")

    with pytest.raises(ConnectionError):
        run(request(run_id="uncredited"), played.tools("uncredited"), refuse)
    assert played.rows("SELECT verdict, reason FROM wxyc_assets.run") == [
        ("failed", "ConnectionError: Dagster's storage is gone")
    ]
    assert played.waiting() == set()


# Dry runs


def test_a_dry_run_writes_nothing_waits_for_nobody_and_counts_what_a_pass_then_does(played, small_chunks):
    play_live(played)
    before = played.everything()
    with single_flight.run_locks(played.postgres, "the-other-run") as locks:
        locks.take([single_flight.unit("flowsheet_enrichment", shard) for shard in range(16)])
        dry = played.run(dry_run=True)
    assert played.everything() == before
    assert (played.slept, played.credited, dry.verdict) == ([], [], "done")
    assert {finding.name for finding in dry.findings} == {"accounting_holds", "metadata_trusted"}
    played.execute("DELETE FROM flowsheet WHERE id = 5000")
    assert played.run().counters == dry.counters


def test_a_dry_run_shows_that_it_lives_and_keeps_nobody_from_a_shard(played, small_chunks):
    class Look(Silent):
        def advance(self, _count):
            units = ["run/dry", *(single_flight.unit("flowsheet_enrichment", shard) for shard in range(16))]
            with played.postgres.connect() as connection:
                held.append(single_flight.held_units(connection, units))

    held = []
    played.progress = Look()
    played.run(dry_run=True, run_id="dry")
    assert held == [{"run/dry"}] * 10
    assert played.rows("SELECT FROM wxyc_assets.run") == []


def test_a_dry_run_names_the_shards_that_would_be_refused(played):
    tally_metadata(played.postgres, 4, 2, age="1 minute")
    dry = played.run(dry_run=True)
    assert (dry.verdict, dry.counters.flipped) == ("failed", 450)
    assert "shard 4" in dry.reason


# Kills


def test_a_pass_that_is_killed_is_finished_by_the_next_and_its_tally_counts_exactly_what_it_committed(played):
    with child(A_PASS, played.postgres.dsn, "killed") as process:
        for line in process.stderr:
            if b'"chunk_index":20' in line:
                break
        process.kill()
        assert process.wait() == -signal.SIGKILL
    marked = 480 - len(played.waiting())
    assert 100 <= marked < 480
    deadline = time.monotonic() + 10
    while played.rows("SELECT FROM pg_stat_activity WHERE application_name LIKE 'wxyc_assets run killed'"):
        assert time.monotonic() < deadline
    marked = 480 - len(played.waiting())
    tallied = (
        "SELECT sum((counters->>'flipped')::int), bool_or(complete) FROM wxyc_assets.tally WHERE run_id = 'killed'"
    )
    assert played.rows(tallied) == [(marked, False)]
    report = played.run()
    assert (report.verdict, report.counters.flipped) == ("done", 480 - marked)
    assert played.waiting() == set()


# What it tells


def test_log_lines_have_the_contracts_steps_and_fields_in_compact_json(played):
    report = played.run(shards=[2, 1])
    assert [line["step"] for line in played.lines] == [
        "started",
        "post_pass_started",
        "chunk_done",
        "post_pass_update_done",
        "finished",
    ]
    assert '"step":"post_pass_update_done"' in played.stream.getvalue()
    base = {"repo": "wxyc_assets", "tool": "album-level-backfill", "run_id": report.request.run_id, "level": "info"}
    assert all(base.items() <= line.items() for line in played.lines)
    started = {"shards": [1, 2], "chunk_size": CHUNK_PLAYS, "lookback_seconds": 300, "dry_run": False}
    assert started.items() <= played.steps("started")[0].items()
    assert played.steps("post_pass_started")[0]["statement_timeout_ms"] == 60_000
    done = played.steps("post_pass_update_done")[0]
    assert done["flipped"] == 60
    assert 0 <= done["wall_clock_ms"] < 60_000
    assert report.counters.stored().items() <= played.steps("finished")[0].items()
    assert {"chunk_index": 1, "flipped": 60}.items() <= played.steps("chunk_done")[0].items()


def test_progress_is_told_the_total_beforehand_and_every_play_as_it_is_done(played, small_chunks):
    played.progress = bar = Told()
    played.run()
    assert bar.told[0] == ("flowsheet_enrichment", 480, "plays")
    assert sum(bar.told[1:-1]) == 480
    assert len(bar.told) == 12
    assert bar.told[-1] == "finish"


def test_the_station_hears_of_every_play_and_of_one_change_a_chunk(played, small_chunks):
    (before,) = played.rows("SELECT last_modified_at FROM flowsheet_watermark")
    with played.postgres.connect() as listener:
        listener.execute("LISTEN cdc")
        report = played.run()
        heard = list(listener.notifies(timeout=2, stop_after=480))
    assert len(heard) == 480
    (after,) = played.rows("SELECT last_modified_at FROM flowsheet_watermark")
    assert after > before
    assert report.counters.chunks == 10
