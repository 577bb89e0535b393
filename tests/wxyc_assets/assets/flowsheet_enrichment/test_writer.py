"""A chunk is one transaction with its tally; locked and refused plays do not affect the others."""

import threading
import time
from dataclasses import dataclass, field

import psycopg
import pytest

from tests.blocked_sessions import wait_until_blocked
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import GRACE, add_play
from wxyc_assets.assets.flowsheet_enrichment import store, writer
from wxyc_assets.assets.flowsheet_enrichment.counters import Counters, summed
from wxyc_assets.assets.flowsheet_enrichment.store import Play
from wxyc_assets.assets.flowsheet_enrichment.writer import DryRunWriter, FlowsheetWriter

REFUSE = """
CREATE FUNCTION refuse_some() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IN (33, 77) THEN RAISE EXCEPTION 'play %% is cursed', NEW.id USING ERRCODE = 'check_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_some BEFORE UPDATE ON flowsheet FOR EACH ROW EXECUTE FUNCTION refuse_some()
""".replace("%%", "%")


@pytest.fixture
def chunk(flowsheet):
    """The first hundred waiting plays."""
    with flowsheet.postgres.connect() as connection:
        yield next(store.chunks(connection, store.current_selection(connection, range(16), GRACE), 100))


@dataclass
class RecordingWriter(FlowsheetWriter):
    """Marks chunks; ``slept`` are the sleeps, ``refused`` the plays that it could not mark."""

    slept: list[float] = field(default_factory=list)
    refused: list[Play] = field(default_factory=list)


@pytest.fixture
def flowsheet_writer(flowsheet):
    """The writer of run ``r`` over all shards."""
    with flowsheet.postgres.connect() as connection:
        recording = RecordingWriter(connection, "r", store.current_selection(connection, range(16), GRACE))
        recording.rejected = lambda play, _reason: recording.refused.append(play)
        recording.sleep = recording.slept.append
        yield recording


def tallied(flowsheet):
    rows = flowsheet.rows("SELECT partition_key, counters FROM wxyc_assets.tally WHERE asset = 'flowsheet_enrichment'")
    return {int(key): Counters.from_stored(counters) for key, counters in rows}


def test_chunk_is_marked_and_tallied_by_shard(flowsheet, chunk, flowsheet_writer):
    """Its pause counts for the shard of its first play."""
    assert flowsheet_writer.write(chunk, 30_000) == []
    assert flowsheet.waiting() == set(range(1, 481)) - {play.play_id for play in chunk}
    stored = tallied(flowsheet)
    assert stored == {shard: counters for shard, counters in flowsheet_writer.tallied.items() if counters != Counters()}
    assert summed(stored.values()) == Counters(scanned=100, flipped=100, chunks=1, paused_ms=30_000)
    assert stored[chunk[0].shard].paused_ms == 30_000
    assert {shard: counters.flipped for shard, counters in stored.items()} == {
        shard: sum(play.shard == shard for play in chunk) for shard in range(16)
    }


def test_chunk_is_not_marked_if_it_cannot_be_tallied(flowsheet, chunk, flowsheet_writer):
    flowsheet.execute("ALTER TABLE wxyc_assets.tally ADD CHECK (partition_key <> '3')")
    flowsheet_writer.write([play for play in chunk if play.shard != 3], 0)
    assert len(flowsheet.waiting()) == 480 - len(chunk) + sum(play.shard == 3 for play in chunk)
    with pytest.raises(psycopg.Error):
        flowsheet_writer.write([play for play in chunk if play.shard == 3], 0)
    assert {play.play_id for play in chunk if play.shard == 3} <= flowsheet.waiting()
    assert flowsheet_writer.tallied[3] == Counters()


def test_plays_that_no_longer_wait_are_counted_as_overtaken(flowsheet, chunk, flowsheet_writer):
    flowsheet.execute("UPDATE flowsheet SET metadata_status = 'enriching' WHERE id = 5")
    flowsheet.execute("DELETE FROM flowsheet WHERE id = 6")
    flowsheet.execute("UPDATE flowsheet SET album_id = NULL WHERE id = 7")
    flowsheet_writer.write(chunk, 0)
    counters = summed(flowsheet_writer.tallied.values())
    assert counters == Counters(scanned=100, flipped=97, overtaken=3, chunks=1)
    assert counters.scanned == counters.accounted


def test_writer_gives_up_if_every_writer_stays_blocked(flowsheet, chunk, flowsheet_writer, monkeypatch):
    """The DJ's transaction holds the watermark, which every writer of the flowsheet updates."""
    monkeypatch.setattr(writer, "ATTEMPTS", 3)
    with flowsheet.postgres.connect() as dj, dj.transaction():
        dj.execute("UPDATE flowsheet SET track_title = 'Jenny Ondioline' WHERE id = 400")  # not of this chunk
        with pytest.raises(psycopg.errors.LockNotAvailable):
            flowsheet_writer.write(chunk, 0)
    assert flowsheet_writer.slept == [writer.RETRY_AFTER_S] * 2
    assert len(flowsheet.waiting()) == 480
    assert tallied(flowsheet) == {}


def test_locked_plays_are_skipped_and_returned_uncounted(flowsheet, chunk, flowsheet_writer):
    with flowsheet.postgres.connect() as dj, dj.transaction():
        dj.execute("SELECT FROM flowsheet WHERE id IN (4, 50) FOR UPDATE")
        held = flowsheet_writer.write(chunk, 0)
        assert {play.play_id for play in held} == {4, 50}
        assert flowsheet_writer.slept == [writer.RETRY_AFTER_S]
        assert summed(flowsheet_writer.tallied.values()) == Counters(scanned=98, flipped=98, chunks=1)
        flowsheet_writer.count_held(held)
    assert summed(flowsheet_writer.tallied.values()) == Counters(scanned=100, flipped=98, locked=2, chunks=1)
    assert summed(tallied(flowsheet).values()) == summed(flowsheet_writer.tallied.values())
    assert {4, 50} <= flowsheet.waiting()


def test_locked_play_that_was_changed_is_counted_as_overtaken(flowsheet, chunk, flowsheet_writer):
    with flowsheet.postgres.connect() as dj:
        with dj.transaction():
            dj.execute("SELECT FROM flowsheet WHERE id IN (4, 50) FOR UPDATE")
            held = flowsheet_writer.write(chunk, 0)
        dj.execute("UPDATE flowsheet SET metadata_status = 'enriching' WHERE id = 4")
        dj.execute("DELETE FROM flowsheet WHERE id = 50")
    flowsheet_writer.count_held(held)
    assert summed(flowsheet_writer.tallied.values()) == Counters(scanned=100, flipped=98, overtaken=2, chunks=1)


def test_writer_waits_for_a_brief_blocker_of_every_writer(flowsheet, chunk, flowsheet_writer):
    with flowsheet.postgres.connect() as dj:
        dj.execute("BEGIN")
        dj.execute("UPDATE flowsheet_watermark SET last_modified_at = now()")
        flowsheet_writer.sleep = lambda _seconds: dj.execute("COMMIT") if dj.info.transaction_status else None
        assert flowsheet_writer.write(chunk, 0) == []
    assert summed(flowsheet_writer.tallied.values()) == Counters(scanned=100, flipped=100, chunks=1)


def test_refused_play_is_quarantined_alone(flowsheet, chunk, flowsheet_writer):
    flowsheet.execute(REFUSE)
    assert flowsheet_writer.write(chunk, 30_000) == []
    counters = summed(flowsheet_writer.tallied.values())
    assert (counters.scanned, counters.flipped, counters.writer_error, counters.paused_ms) == (100, 98, 2, 30_000)
    assert counters.scanned == counters.accounted
    assert summed(tallied(flowsheet).values()) == counters
    assert {33, 77} <= flowsheet.waiting()
    assert len(flowsheet.waiting()) == 382
    rows = flowsheet.rows("SELECT input_id, kind, reason, wait_until FROM wxyc_assets.quarantine ORDER BY 1")
    assert [(one[0], one[1], one[3]) for one in rows] == [(33, "writer_error", None), (77, "writer_error", None)]
    assert "play 33 is cursed" in rows[0][2]
    assert [play.play_id for play in flowsheet_writer.refused] == [33, 77]


def test_dj_in_a_deadlock_with_a_chunk_continues_first(flowsheet, chunk, flowsheet_writer):
    """The DJ holds the watermark and wants a row of the chunk; the chunk holds the row and wants the watermark."""
    flowsheet_writer.sleep = time.sleep
    with flowsheet.postgres.connect() as dj:
        dj.execute("BEGIN")
        add_play(dj, 10_001, 1, metadata_status="enriched_match")
        failures: list[psycopg.Error] = []

        def write_chunk():
            try:
                flowsheet_writer.write(chunk, 0)
            except psycopg.Error as error:
                failures.append(error)

        writing = threading.Thread(target=write_chunk)
        writing.start()
        wait_until_blocked(flowsheet.postgres, by=dj)
        dj.execute("UPDATE flowsheet SET track_title = 'French Disko' WHERE id = 5")
        dj.execute("COMMIT")
        writing.join()
    assert failures == []
    assert flowsheet.rows("SELECT track_title, metadata_status::text FROM flowsheet WHERE id = 5") == [
        ("French Disko", "enriched_match")
    ]
    assert summed(flowsheet_writer.tallied.values()).flipped == 100


def test_database_fault_is_not_bisected(flowsheet, chunk, flowsheet_writer):
    flowsheet.execute("REVOKE ALL ON flowsheet FROM PUBLIC")
    flowsheet.execute("ALTER TABLE flowsheet RENAME TO away")
    with pytest.raises(psycopg.errors.UndefinedTable):
        flowsheet_writer.write(chunk, 0)
    assert flowsheet.rows("SELECT FROM wxyc_assets.quarantine") == []
    assert flowsheet_writer.slept == []


def test_dry_run_writer_counts_the_same_and_writes_nothing(flowsheet, chunk, flowsheet_writer):
    before = flowsheet.everything()
    dry = DryRunWriter(range(16))
    assert dry.write(chunk, 0) == []
    dry.count_held([Play(1, 1)])
    dry.complete(1)
    assert flowsheet.everything() == before
    flowsheet_writer.write(chunk, 0)
    assert dry.tallied == flowsheet_writer.tallied


def test_play_that_cannot_be_encoded_costs_itself(flowsheet, chunk, flowsheet_writer, monkeypatch):
    """Also an error that is none of PostgreSQL's: the other plays of the chunk are marked."""
    marked = store.mark_enriched

    def broken(connection, ids, selection):
        if 77 in ids:
            raise UnicodeEncodeError("utf-8", "x", 0, 1, "surrogates not allowed")
        return marked(connection, ids, selection)

    monkeypatch.setattr(store, "mark_enriched", broken)
    assert flowsheet_writer.write(chunk, 0) == []
    assert [play.play_id for play in flowsheet_writer.refused] == [77]
    assert flowsheet.waiting() == set(range(1, 481)) - {play.play_id for play in chunk} | {77}
    (kept,) = flowsheet.rows("SELECT input_id, reason FROM wxyc_assets.quarantine")
    assert kept[0] == 77
    assert "UnicodeEncodeError" in kept[1]
