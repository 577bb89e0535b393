"""A chunk is one transaction with its tally; who is in the way, or refused, costs nobody else anything."""

import threading
import time

import psycopg
import pytest

from tests.wxyc_assets.flowsheet_enrichment.passes import add_play
from wxyc_assets.flowsheet_enrichment import store, writers
from wxyc_assets.flowsheet_enrichment.counters import Counters, summed
from wxyc_assets.flowsheet_enrichment.store import Play
from wxyc_assets.flowsheet_enrichment.writers import Flipper, TallyOnly

REFUSE = """
CREATE FUNCTION refuse_some() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id IN (33, 77) THEN RAISE EXCEPTION 'play %% is cursed', NEW.id USING ERRCODE = 'check_violation'; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refuse_some BEFORE UPDATE ON flowsheet FOR EACH ROW EXECUTE FUNCTION refuse_some()
""".replace("%%", "%")


@pytest.fixture
def chunk(played):
    """The first hundred plays that wait."""
    with played.postgres.connect() as connection:
        yield next(store.chunks(connection, store.beginning(connection, range(16)), 100))


@pytest.fixture
def flipper(played):
    """Marks chunks; ``slept`` is what it slept, ``refused`` the plays that it could not mark."""
    with played.postgres.connect() as connection:
        flipper = Flipper(connection, "r", range(16), lambda play, reason: flipper.refused.append((play, reason)))
        flipper.slept, flipper.refused = [], []
        flipper.sleep = flipper.slept.append
        yield flipper


def tallied(passes):
    rows = passes.rows("SELECT partition_key, counters FROM wxyc_assets.tally WHERE asset = 'flowsheet_enrichment'")
    return {int(key): Counters.from_stored(counters) for key, counters in rows}


def test_a_chunk_is_marked_and_tallied_by_shard_with_its_pause_on_the_shard_of_its_first_play(played, chunk, flipper):
    assert flipper.write(chunk, 30_000) == []
    assert played.waiting() == set(range(1, 481)) - {play.play_id for play in chunk}
    stored = tallied(played)
    assert stored == {shard: counters for shard, counters in flipper.tallied.items() if counters != Counters()}
    assert summed(stored.values()) == Counters(scanned=100, flipped=100, chunks=1, paused_ms=30_000)
    assert stored[chunk[0].shard].paused_ms == 30_000
    assert {shard: counters.flipped for shard, counters in stored.items()} == {
        shard: sum(play.shard == shard for play in chunk) for shard in range(16)
    }


def test_a_chunk_that_cannot_be_tallied_is_not_marked(played, chunk, flipper):
    played.execute("ALTER TABLE wxyc_assets.tally ADD CHECK (partition_key <> '3')")
    flipper.write([play for play in chunk if play.shard != 3], 0)
    assert len(played.waiting()) == 480 - len(chunk) + sum(play.shard == 3 for play in chunk)
    with pytest.raises(psycopg.Error):
        flipper.write([play for play in chunk if play.shard == 3], 0)
    assert {play.play_id for play in chunk if play.shard == 3} <= played.waiting()
    assert flipper.tallied[3] == Counters()


def test_plays_that_do_not_wait_any_more_are_counted_as_overtaken(played, chunk, flipper):
    played.execute("UPDATE flowsheet SET metadata_status = 'enriching' WHERE id = 5")
    played.execute("DELETE FROM flowsheet WHERE id = 6")
    played.execute("UPDATE flowsheet SET album_id = NULL WHERE id = 7")
    flipper.write(chunk, 0)
    counters = summed(flipper.tallied.values())
    assert counters == Counters(scanned=100, flipped=97, overtaken=3, chunks=1)
    assert counters.scanned == counters.accounted


def test_somebody_who_holds_up_all_of_the_flowsheets_writers_for_too_long_ends_the_patience(
    played, chunk, flipper, monkeypatch
):
    monkeypatch.setattr(writers, "ATTEMPTS", 3)
    with played.postgres.connect() as dj, dj.transaction():
        dj.execute("UPDATE flowsheet SET track_title = 'Jenny Ondioline' WHERE id = 400")  # not of this chunk
        with pytest.raises(psycopg.errors.LockNotAvailable):
            flipper.write(chunk, 0)
    assert flipper.slept == [writers.RETRY_AFTER_S] * 2
    assert len(played.waiting()) == 480
    assert tallied(played) == {}


def test_a_play_that_somebody_holds_is_gone_round_and_handed_back_uncounted(played, chunk, flipper):
    with played.postgres.connect() as dj, dj.transaction():
        dj.execute("SELECT FROM flowsheet WHERE id IN (4, 50) FOR UPDATE")
        held = flipper.write(chunk, 0)
        assert {play.play_id for play in held} == {4, 50}
        assert flipper.slept == [writers.RETRY_AFTER_S]
        assert summed(flipper.tallied.values()) == Counters(scanned=98, flipped=98, chunks=1)
        flipper.settle(held)
    assert summed(flipper.tallied.values()) == Counters(scanned=100, flipped=98, locked=2, chunks=1)
    assert summed(tallied(played).values()) == summed(flipper.tallied.values())
    assert {4, 50} <= played.waiting()


def test_a_held_play_that_its_holder_changed_is_settled_as_overtaken(played, chunk, flipper):
    with played.postgres.connect() as dj:
        with dj.transaction():
            dj.execute("SELECT FROM flowsheet WHERE id IN (4, 50) FOR UPDATE")
            held = flipper.write(chunk, 0)
        dj.execute("UPDATE flowsheet SET metadata_status = 'enriching' WHERE id = 4")
        dj.execute("DELETE FROM flowsheet WHERE id = 50")
    flipper.settle(held)
    assert summed(flipper.tallied.values()) == Counters(scanned=100, flipped=98, overtaken=2, chunks=1)


def test_somebody_who_holds_up_all_of_the_flowsheets_writers_for_a_moment_is_waited_for(played, chunk, flipper):
    with played.postgres.connect() as dj:
        dj.execute("BEGIN")
        dj.execute("UPDATE flowsheet_watermark SET last_modified_at = now()")
        flipper.sleep = lambda _seconds: dj.execute("COMMIT") if dj.info.transaction_status else None
        assert flipper.write(chunk, 0) == []
    assert summed(flipper.tallied.values()) == Counters(scanned=100, flipped=100, chunks=1)


def test_a_play_that_the_table_refuses_is_quarantined_alone(played, chunk, flipper):
    played.execute(REFUSE)
    assert flipper.write(chunk, 30_000) == []
    counters = summed(flipper.tallied.values())
    assert (counters.scanned, counters.flipped, counters.writer_error, counters.paused_ms) == (100, 98, 2, 30_000)
    assert counters.scanned == counters.accounted
    assert summed(tallied(played).values()) == counters
    assert {33, 77} <= played.waiting()
    assert len(played.waiting()) == 382
    rows = played.rows("SELECT input_id, kind, reason, wait_until FROM wxyc_assets.quarantine ORDER BY 1")
    assert [(one[0], one[1], one[3]) for one in rows] == [(33, "writer_error", None), (77, "writer_error", None)]
    assert "play 33 is cursed" in rows[0][2]
    assert [play.play_id for play, _ in flipper.refused] == [33, 77]


def test_a_dj_in_a_knot_with_a_chunk_goes_on_and_the_chunk_is_done_after_it(played, chunk, flipper):
    """The DJ has the watermark and wants a row of ours; we have the row and want the watermark."""
    flipper.sleep = time.sleep
    with played.postgres.connect() as dj:
        dj.execute("BEGIN")
        add_play(dj, 10_001, 1, metadata_status="enriched_match")
        failures = []

        def chunk_by_chunk():
            try:
                flipper.write(chunk, 0)
            except psycopg.Error as error:
                failures.append(error)

        ours = threading.Thread(target=chunk_by_chunk)
        ours.start()
        time.sleep(0.2)
        dj.execute("UPDATE flowsheet SET track_title = 'French Disko' WHERE id = 5")
        dj.execute("COMMIT")
        ours.join()
    assert failures == []
    assert played.rows("SELECT track_title, metadata_status::text FROM flowsheet WHERE id = 5") == [
        ("French Disko", "enriched_match")
    ]
    assert summed(flipper.tallied.values()).flipped == 100


def test_a_fault_of_the_database_is_nobodys_row(played, chunk, flipper):
    played.execute("REVOKE ALL ON flowsheet FROM PUBLIC")
    played.execute("ALTER TABLE flowsheet RENAME TO away")
    with pytest.raises(psycopg.errors.UndefinedTable):
        flipper.write(chunk, 0)
    assert played.rows("SELECT FROM wxyc_assets.quarantine") == []
    assert flipper.slept == []


def test_a_dry_run_counts_as_a_pass_would_and_writes_nothing(played, chunk, flipper):
    before = played.everything()
    dry = TallyOnly(range(16))
    assert dry.write(chunk, 0) == []
    dry.settle([Play(1, 1)])
    dry.complete(1)
    assert played.everything() == before
    flipper.write(chunk, 0)
    assert dry.tallied == flipper.tallied
