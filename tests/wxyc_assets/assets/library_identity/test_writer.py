"""What is written is what LML said, row by row, column by column; a library that the tables refuse costs only itself."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from tests.libraries import add_library
from tests.wxyc_assets.library_identity.arbitrary_lml import compilation, single, unresolved
from tests.wxyc_assets.library_identity.tables import pages, rows, write
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.verdicts import judge_one
from wxyc_assets.library_identity.writers import ShardWriter

IDENTITY = (
    "SELECT library_id, discogs_master_id, discogs_release_id, musicbrainz_release_group_mbid, musicbrainz_release_mbid, "
    "musicbrainz_recording_mbid, wikidata_qid, spotify_id, apple_music_id, method, confidence, agreement_sources, notes "
    "FROM library_identity ORDER BY 1"
)
SOURCES = (
    "SELECT library_id, source, external_id, method, confidence, boost_sources, notes "
    "FROM library_identity_source ORDER BY 1, 2"
)
FAILURES = "SELECT input_id, kind, failures, wait_until FROM wxyc_assets.quarantine ORDER BY 1, 2"


@pytest.fixture
def shelf(connection):
    """Libraries 1 to 8, all to be asked about."""
    for library_id in range(1, 9):
        add_library(connection, library_id)
    return connection


def run_in_thread(work):
    """Start work in a thread; the result waits for it, and is what it returned."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)

    def result():
        with pool:
            return future.result(timeout=30)

    return result


def wait_until_waiting(connection):
    """Wait until somebody waits for a lock of this database."""
    query = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while not connection.execute(query).fetchall():
        time.sleep(0.01)


def tally(connection, run_id="run"):
    ((counters, complete),) = rows(
        connection, "SELECT counters, complete FROM wxyc_assets.tally WHERE run_id = %s", run_id
    )
    return Counters.from_stored(counters), complete


def test_rows_hold_what_lml_said_column_by_column_and_our_mark(shelf):
    write(shelf, single(3))
    ids = (None, None, None, None, None, "Q3", "spotify-3", None)
    assert rows(shelf, IDENTITY) == [(3, *ids, "name_variation", pytest.approx(0.93), None, "consumer:lml-bulk")]
    assert rows(shelf, SOURCES) == [
        (3, "discogs", "1003", "exact_match", 1.0, None, "consumer:lml-bulk"),
        (3, "wikidata", "Q3", "alias_match", pytest.approx(0.8), None, "consumer:lml-bulk"),
    ]


def test_method_and_confidence_are_verbatim_also_outside_the_documented_bands(shelf):
    odd = 'learned "yesterday" \\ ☃ %(x)s'
    write(shelf, single(1, method=odd, confidence=0.1234567), single(2, method="exact_match", confidence=0.3))
    stored = rows(shelf, "SELECT method, confidence = 0.1234567::real, confidence = 0.3::real FROM library_identity")
    assert stored == [(odd, True, False), ("exact_match", False, True)]


@pytest.mark.parametrize("confidence", [0, 1, 1e-50, 2.0**-149, 0.1, 0.9999999999])
def test_every_confidence_of_the_contract_fits_the_tables(shelf, confidence):
    entry = {"source": "discogs", "method": "llm", "confidence": confidence, "external_id": "1"}
    _, (outcome,) = write(shelf, single(1, confidence=confidence, provenance=[entry]))
    assert outcome.bucket == "resolved"
    assert rows(shelf, SOURCES.replace("ORDER", "WHERE confidence BETWEEN 0 AND 1 ORDER")) != []


def test_a_null_erases_an_older_id_and_the_other_writers_ids_are_kept_in_the_history(shelf):
    shelf.execute(
        "INSERT INTO library_identity (library_id, discogs_master_id, discogs_release_id, musicbrainz_release_mbid, "
        "wikidata_qid, apple_music_id, last_verified_at, method, confidence, agreement_sources, notes) VALUES (1, 11, 12, "
        "'6f6df5e0-0000-4000-8000-000000000001', 'Q0', 'apple', '2026-01-01Z', 'manual', 0.5, 'a,b', 'by hand')"
    )
    mbid = "6f6df5e0-0000-4000-8000-000000000001"
    writer, _ = write(shelf, single(1))
    assert rows(shelf, IDENTITY)[0][1:9] == (None, None, None, None, None, "Q1", "spotify-1", None)
    assert rows(shelf, "SELECT agreement_sources, notes FROM library_identity") == [(None, "consumer:lml-bulk")]
    assert rows(
        shelf,
        "SELECT library_id, discogs_master_id, discogs_release_id, musicbrainz_release_mbid::text, wikidata_qid, "
        "apple_music_id, last_verified_at::text, method, confidence, agreement_sources, notes FROM library_identity_history",
    ) == [(1, 11, 12, mbid, "Q0", "apple", "2026-01-01 00:00:00+00", "manual", 0.5, "a,b", "by hand")]
    ((reason, category, age),) = rows(
        shelf, "SELECT superseded_reason, reason_category, now() - superseded_at FROM library_identity_history"
    )
    assert reason
    assert category == "verdict_changed"
    assert age < timedelta(minutes=1)
    assert writer.tallied.history_rows_written == 1


@pytest.mark.parametrize(
    "change", [{"method": "llm"}, {"confidence": 0.94}, {"main": {"wikidata_qid": "Q1"}}, {"main": {}}], ids=str
)
def test_any_changed_column_leaves_one_history_row(shelf, change):
    write(shelf, single(1))
    write(shelf, single(1, **change))
    assert rows(shelf, "SELECT method, wikidata_qid FROM library_identity_history") == [("name_variation", "Q1")]


def test_a_confirmed_verdict_leaves_no_history_and_is_verified_anew(shelf):
    write(shelf, single(1))
    shelf.execute("UPDATE library_identity SET last_verified_at = now() - interval '9 days'")
    shelf.execute("UPDATE library_identity_source SET last_verified_at = now() - interval '9 days'")
    writer, _ = write(shelf, single(1), run_id="again")
    assert rows(shelf, "SELECT FROM library_identity_history") == []
    assert writer.tallied.history_rows_written == 0
    fresh = "SELECT bool_and(last_verified_at > now() - interval '1 minute') FROM "
    assert rows(shelf, fresh + "library_identity") == [(True,)]
    assert rows(shelf, fresh + "library_identity_source") == [(True,)]


def test_sources_that_lml_no_longer_names_are_left_alone_and_the_view_does_not_show_them(shelf):
    write(shelf, single(1))
    band = {"source": "bandcamp", "method": "llm", "confidence": 0.6, "external_id": "band"}
    write(shelf, single(1, provenance=[band]))
    assert [row[1] for row in rows(shelf, SOURCES)] == ["bandcamp", "discogs", "wikidata"]
    assert rows(shelf, "SELECT discogs_artist_id, wikidata_qid, bandcamp_id FROM wxyc_assets.library_artist_id") == [
        (None, "Q1", "band")
    ]


def test_unresolved_and_compilations_are_marked_resolved_ones_lose_their_mark_others_keep_theirs(shelf):
    shelf.execute("UPDATE library SET unresolved_attempted_at = now() - interval '40 days' WHERE id IN (1, 4, 5)")
    write(shelf, single(1), unresolved(2), compilation(3), single(4, confidence=7))
    marked = rows(
        shelf,
        "SELECT id, unresolved_attempted_at > now() - interval '1 minute' FROM library "
        "WHERE unresolved_attempted_at IS NOT NULL ORDER BY 1",
    )
    assert marked == [(2, True), (3, True), (4, False), (5, False)]


def test_marking_does_not_move_the_librarys_watermark(shelf):
    shelf.execute("UPDATE library_watermark SET last_modified_at = '2026-01-01Z'")
    write(shelf, unresolved(1), compilation(2))
    write(shelf, single(1), single(3))
    assert rows(shelf, "SELECT last_modified_at::date::text FROM library_watermark") == [("2026-01-01",)]


def test_an_older_identity_survives_an_unresolved_answer(shelf):
    write(shelf, single(1))
    write(shelf, unresolved(1))
    assert len(rows(shelf, IDENTITY)) == 1


# One library that cannot be written


def guilty_text(connection):
    return single(5, main={"wikidata_qid": "Q\0"})


def guilty_key(connection):
    connection.execute("DELETE FROM library WHERE id = 5")
    return single(5)


def trigger(connection, body, on="library_identity"):
    key = "id" if on == "library" else "library_id"
    connection.execute(
        "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF NEW.{key} = 5 THEN {body}; END IF; RETURN NEW; END $$"
    )
    connection.execute(f"CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON {on} FOR EACH ROW EXECUTE FUNCTION guard()")


def guilty_trigger(connection):
    trigger(connection, "RAISE EXCEPTION 'not this one'")
    return single(5)


def guilty_trigger_with_a_code_of_its_own(connection):
    trigger(connection, "RAISE EXCEPTION 'not this one' USING ERRCODE = '45000'")
    return single(5)


def guilty_source(connection):
    trigger(connection, "RAISE EXCEPTION 'not this one'", on="library_identity_source")
    return single(5)


def guilty_marker(connection):
    trigger(connection, "RAISE EXCEPTION 'not this one'", on="library")
    return unresolved(5)


def guilty_constraint(connection):
    connection.execute("ALTER TABLE library_identity ADD CHECK (library_id <> 5)")
    return single(5)


def guilty_size(connection):
    connection.execute("CREATE INDEX ON library_identity (method)")  # whose entries have a longest
    return single(5, method="".join(chr(0x4E00 + i * 7 % 9000) for i in range(4000)))


@pytest.mark.parametrize(
    "guilty",
    [
        guilty_text,
        guilty_key,
        guilty_trigger,
        guilty_trigger_with_a_code_of_its_own,
        guilty_source,
        guilty_marker,
        guilty_constraint,
        guilty_size,
    ],
)
def test_one_library_that_the_tables_refuse_costs_only_itself_and_is_on_record(shelf, guilty):
    culprit = guilty(shelf)
    writer, outcomes = write(shelf, *(culprit if i == 5 else single(i) for i in range(1, 9)))

    assert [one.bucket for one in outcomes] == ["resolved"] * 4 + ["writer_error"] + ["resolved"] * 3
    assert [row[0] for row in rows(shelf, IDENTITY)] == [1, 2, 3, 4, 6, 7, 8]
    assert {row[0] for row in rows(shelf, SOURCES)} == {1, 2, 3, 4, 6, 7, 8}
    ((input_id, kind, failures, wait_until),) = rows(shelf, FAILURES)
    assert (input_id, kind, failures, wait_until) == (5, "writer_error", 1, None)
    ((reason, payload_digest),) = rows(shelf, "SELECT reason, payload_digest FROM wxyc_assets.quarantine")
    assert reason
    assert len(payload_digest) == 64

    counters, complete = tally(shelf)
    assert counters == writer.tallied
    assert (counters.scanned, counters.resolved, counters.writer_error, counters.lml_total_calls) == (8, 7, 1, 1)
    assert not complete


def test_a_library_that_fails_three_times_in_a_row_rests_a_day_and_a_success_starts_anew(shelf):
    for attempt, rests in ((1, False), (2, False), (3, True)):
        write(shelf, guilty_text(shelf), run_id=f"run {attempt}")
        ((_, _, failures, wait_until),) = rows(shelf, FAILURES)
        assert (failures, wait_until is not None) == (attempt, rests)
    assert [library.library_id for page in pages(shelf) for library in page] == [1, 2, 3, 4, 6, 7, 8]
    assert rows(shelf, "SELECT wait_until - now() BETWEEN interval '23 h' AND interval '24 h' FROM wxyc_assets.quarantine") == [
        (True,)
    ]  # fmt: skip
    write(shelf, single(5))
    write(shelf, guilty_text(shelf))
    assert rows(shelf, FAILURES) == [(5, "writer_error", 1, None)]


def test_violations_are_quarantined_and_failures_of_lml_are_not(shelf):
    outcomes = [judge_one(1, single(1, confidence=2)), judge_one(2, single(2))]
    lost = [type(outcomes[0])(library_id, "lml_error") for library_id in (3, 4)]
    ShardWriter(shelf, "run", 0).write([*outcomes, *lost], Counters())
    assert [row[:3] for row in rows(shelf, FAILURES)] == [(1, "contract_violation", 1)]


def test_the_tally_says_what_was_committed_also_when_the_database_stops_half_way(shelf):
    """The first half of a bisected page is committed, then the role may no longer write."""
    shelf.execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.library_id > 4 THEN "
        "RAISE insufficient_privilege; END IF; RETURN NEW; END $$"
    )
    shelf.execute("CREATE TRIGGER stop BEFORE INSERT ON library_identity FOR EACH ROW EXECUTE FUNCTION stop()")
    shelf.execute("ALTER TABLE library_identity ADD CHECK (library_id <> 2)")
    writer = ShardWriter(shelf, "run", 0)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        write(shelf, *(single(i) for i in (1, 2, 3, 4, 5, 6)), writer=writer)
    # The halves are 1 2 3 and 4 5 6; the latter failed as a whole, and not for a row of its own.
    assert [row[0] for row in rows(shelf, IDENTITY)] == [1, 3]
    counters, _ = tally(shelf)
    assert counters == writer.tallied
    assert (counters.scanned, counters.resolved, counters.writer_error) == (3, 2, 1)


def test_a_broken_connection_is_not_bisected(station, shelf):
    with station.connect() as doomed:
        shelf.execute("SELECT pg_terminate_backend(%s)", [doomed.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            write(doomed, *(single(i) for i in range(1, 9)))
    assert rows(shelf, IDENTITY) == []
    assert rows(shelf, FAILURES) == []


def test_a_page_that_met_another_writer_is_written_again_and_counted_once(shelf):
    shelf.execute("CREATE SEQUENCE attempts")
    trigger(shelf, "IF nextval('attempts') < 3 THEN RAISE deadlock_detected; END IF")
    writer, outcomes = write(shelf, *(single(i) for i in range(1, 9)))
    assert {one.bucket for one in outcomes} == {"resolved"}
    assert len(rows(shelf, IDENTITY)) == 8
    assert tally(shelf)[0] == writer.tallied
    assert writer.tallied.scanned == 8


def test_two_writers_that_deadlock_for_real_both_finish(station, shelf):
    """The other takes library 2, then waits for 1; the page takes 1 (it marks in the order of the table), then waits for 2."""
    with station.connect() as other:
        shelf.execute("SET deadlock_timeout TO '500ms'")  # it notices first, and is the one that has to give way
        other.execute("SET deadlock_timeout TO '20s'")
        with other.transaction():
            other.execute("UPDATE library SET plays = 1 WHERE id = 2")
            written = run_in_thread(lambda: write(shelf, unresolved(1), unresolved(2)))
            wait_until_waiting(other)
            other.execute("UPDATE library SET plays = 1 WHERE id = 1")
        _, outcomes = written()
    assert [one.bucket for one in outcomes] == ["unresolved", "unresolved"]
    assert rows(shelf, "SELECT plays, unresolved_attempted_at IS NULL FROM library WHERE id < 3") == [(1, False)] * 2
