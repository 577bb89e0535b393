"""Rows hold what LML answered, column by column; a library that the tables refuse affects no other library."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from tests.blocked_sessions import wait_until_blocked
from tests.libraries import add_library
from tests.wxyc_assets.assets.library_identity.fake_lml import compilation, single_artist, unresolved
from tests.wxyc_assets.assets.library_identity.tables import pages, rows, write
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.verdicts import classify_answer
from wxyc_assets.assets.library_identity.writer import ShardWriter

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
def libraries(connection):
    """Libraries 1 to 8, all eligible."""
    for library_id in range(1, 9):
        add_library(connection, library_id)
    return connection


def in_thread(work):
    """Start ``work`` in a thread; return a function that waits for its result."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(work)

    def result():
        with pool:
            return future.result(timeout=60)

    return result


def tally(connection, run_id="run"):
    ((counters, complete),) = rows(
        connection, "SELECT counters, complete FROM wxyc_assets.tally WHERE run_id = %s", run_id
    )
    return Counters.from_stored(counters), complete


def test_rows_hold_lmls_answer_and_our_notes(libraries):
    write(libraries, single_artist(3))
    ids = (None, None, None, None, None, "Q3", "spotify-3", None)
    assert rows(libraries, IDENTITY) == [(3, *ids, "name_variation", pytest.approx(0.93), None, "consumer:lml-bulk")]
    assert rows(libraries, SOURCES) == [
        (3, "discogs", "1003", "exact_match", 1.0, None, "consumer:lml-bulk"),
        (3, "wikidata", "Q3", "alias_match", pytest.approx(0.8), None, "consumer:lml-bulk"),
    ]


def test_method_and_confidence_are_stored_verbatim(libraries):
    odd = 'learned "yesterday" \\ ☃ %(x)s'
    write(
        libraries,
        single_artist(1, method=odd, confidence=0.1234567),
        single_artist(2, method="exact_match", confidence=0.3),
    )
    stored = rows(
        libraries, "SELECT method, confidence = 0.1234567::real, confidence = 0.3::real FROM library_identity"
    )
    assert stored == [(odd, True, False), ("exact_match", False, True)]


@pytest.mark.parametrize("confidence", [0, 1, 1e-50, 2.0**-149, 0.1, 0.9999999999])
def test_every_valid_confidence_fits_the_tables(libraries, confidence):
    entry = {"source": "discogs", "method": "llm", "confidence": confidence, "external_id": "1"}
    _, (outcome,) = write(libraries, single_artist(1, confidence=confidence, provenance=[entry]))
    assert outcome.bucket == "resolved"
    assert rows(libraries, SOURCES.replace("ORDER", "WHERE confidence BETWEEN 0 AND 1 ORDER")) != []


def test_null_erases_an_older_id_and_history_keeps_the_row(libraries):
    libraries.execute(
        "INSERT INTO library_identity (library_id, discogs_master_id, discogs_release_id, musicbrainz_release_mbid, "
        "wikidata_qid, apple_music_id, last_verified_at, method, confidence, agreement_sources, notes) VALUES (1, 11, 12, "
        "'6f6df5e0-0000-4000-8000-000000000001', 'Q0', 'apple', '2026-01-01Z', 'trigram', 0.5, 'a,b', 'by hand')"
    )
    mbid = "6f6df5e0-0000-4000-8000-000000000001"
    writer, _ = write(libraries, single_artist(1))
    assert rows(libraries, IDENTITY)[0][1:9] == (None, None, None, None, None, "Q1", "spotify-1", None)
    assert rows(libraries, "SELECT agreement_sources, notes FROM library_identity") == [(None, "consumer:lml-bulk")]
    assert rows(
        libraries,
        "SELECT library_id, discogs_master_id, discogs_release_id, musicbrainz_release_mbid::text, wikidata_qid, "
        "apple_music_id, last_verified_at::text, method, confidence, agreement_sources, notes FROM library_identity_history",
    ) == [(1, 11, 12, mbid, "Q0", "apple", "2026-01-01 00:00:00+00", "trigram", 0.5, "a,b", "by hand")]
    ((reason, category, age),) = rows(
        libraries, "SELECT superseded_reason, reason_category, now() - superseded_at FROM library_identity_history"
    )
    assert reason
    assert category == "verdict_changed"
    assert age < timedelta(minutes=1)
    assert writer.tallied.history_rows_written == 1


@pytest.mark.parametrize(
    "change", [{"method": "llm"}, {"confidence": 0.94}, {"main": {"wikidata_qid": "Q1"}}, {"main": {}}], ids=str
)
def test_changed_column_adds_one_history_row(libraries, change):
    write(libraries, single_artist(1))
    write(libraries, single_artist(1, **change))
    assert rows(libraries, "SELECT method, wikidata_qid FROM library_identity_history") == [("name_variation", "Q1")]


def test_confirmed_verdict_adds_no_history_and_is_fresh(libraries):
    write(libraries, single_artist(1))
    libraries.execute("UPDATE library_identity SET last_verified_at = now() - interval '9 days'")
    libraries.execute("UPDATE library_identity_source SET last_verified_at = now() - interval '9 days'")
    writer, _ = write(libraries, single_artist(1), run_id="again")
    assert rows(libraries, "SELECT FROM library_identity_history") == []
    assert writer.tallied.history_rows_written == 0
    fresh = "SELECT bool_and(last_verified_at > now() - interval '1 minute') FROM "
    assert rows(libraries, fresh + "library_identity") == [(True,)]
    assert rows(libraries, fresh + "library_identity_source") == [(True,)]


def test_sources_absent_from_the_answer_stay_out_of_the_view(libraries):
    """Their rows stay unchanged."""
    write(libraries, single_artist(1))
    band = {"source": "bandcamp", "method": "llm", "confidence": 0.6, "external_id": "band"}
    write(libraries, single_artist(1, provenance=[band]))
    assert [row[1] for row in rows(libraries, SOURCES)] == ["bandcamp", "discogs", "wikidata"]
    assert rows(
        libraries, "SELECT discogs_artist_id, wikidata_qid, bandcamp_id FROM wxyc_assets.library_artist_id"
    ) == [(None, "Q1", "band")]


def test_outcome_decides_the_marker(libraries):
    """Unresolved libraries and compilations get one, resolved libraries lose it, the others keep theirs."""
    libraries.execute("UPDATE library SET unresolved_attempted_at = now() - interval '40 days' WHERE id IN (1, 4, 5)")
    write(libraries, single_artist(1), unresolved(2), compilation(3), single_artist(4, confidence=7))
    marked = rows(
        libraries,
        "SELECT id, unresolved_attempted_at > now() - interval '1 minute' FROM library "
        "WHERE unresolved_attempted_at IS NOT NULL ORDER BY 1",
    )
    assert marked == [(2, True), (3, True), (4, False), (5, False)]


def test_markers_do_not_change_the_librarys_watermark(libraries):
    libraries.execute("UPDATE library_watermark SET last_modified_at = '2026-01-01Z'")
    write(libraries, unresolved(1), compilation(2))
    write(libraries, single_artist(1), single_artist(3))
    assert rows(libraries, "SELECT last_modified_at::date::text FROM library_watermark") == [("2026-01-01",)]


def test_unresolved_answer_keeps_an_older_identity(libraries):
    write(libraries, single_artist(1))
    write(libraries, unresolved(1))
    assert len(rows(libraries, IDENTITY)) == 1


# One library that the tables refuse


def refused_for_a_nul(connection):
    return single_artist(5, main={"wikidata_qid": "Q\0"})


def refused_by_foreign_key(connection):
    connection.execute("DELETE FROM library WHERE id = 5")
    return single_artist(5)


def add_trigger(connection, body, on="library_identity"):
    key = "id" if on == "library" else "library_id"
    connection.execute(
        "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ "
        f"BEGIN IF NEW.{key} = 5 THEN {body}; END IF; RETURN NEW; END $$"
    )
    connection.execute(f"CREATE TRIGGER guard BEFORE INSERT OR UPDATE ON {on} FOR EACH ROW EXECUTE FUNCTION guard()")


def refused_by_trigger(connection):
    add_trigger(connection, "RAISE EXCEPTION 'not this one'")
    return single_artist(5)


def refused_by_trigger_with_its_own_code(connection):
    add_trigger(connection, "RAISE EXCEPTION 'not this one' USING ERRCODE = '45000'")
    return single_artist(5)


def refused_source(connection):
    add_trigger(connection, "RAISE EXCEPTION 'not this one'", on="library_identity_source")
    return single_artist(5)


def refused_marker(connection):
    add_trigger(connection, "RAISE EXCEPTION 'not this one'", on="library")
    return unresolved(5)


def refused_by_constraint(connection):
    connection.execute("ALTER TABLE library_identity ADD CHECK (library_id <> 5)")
    return single_artist(5)


def refused_for_its_size(connection):
    connection.execute("CREATE INDEX ON library_identity (method)")  # the size of its entries is limited
    return single_artist(5, method="".join(chr(0x4E00 + i * 7 % 9000) for i in range(4000)))


@pytest.mark.parametrize(
    "make_refused",
    [
        refused_for_a_nul,
        refused_by_foreign_key,
        refused_by_trigger,
        refused_by_trigger_with_its_own_code,
        refused_source,
        refused_marker,
        refused_by_constraint,
        refused_for_its_size,
    ],
)
def test_refused_library_is_quarantined_alone(libraries, make_refused):
    refused_answer = make_refused(libraries)
    writer, outcomes = write(libraries, *(refused_answer if i == 5 else single_artist(i) for i in range(1, 9)))

    assert [one.bucket for one in outcomes] == ["resolved"] * 4 + ["writer_error"] + ["resolved"] * 3
    assert [row[0] for row in rows(libraries, IDENTITY)] == [1, 2, 3, 4, 6, 7, 8]
    assert {row[0] for row in rows(libraries, SOURCES)} == {1, 2, 3, 4, 6, 7, 8}
    ((input_id, kind, failures, wait_until),) = rows(libraries, FAILURES)
    assert (input_id, kind, failures, wait_until) == (5, "writer_error", 1, None)
    ((reason, payload_digest),) = rows(libraries, "SELECT reason, payload_digest FROM wxyc_assets.quarantine")
    assert reason
    assert len(payload_digest) == 64

    counters, complete = tally(libraries)
    assert counters == writer.tallied
    assert (counters.scanned, counters.resolved, counters.writer_error, counters.lml_total_calls) == (8, 7, 1, 1)
    assert not complete


def test_library_waits_a_day_after_three_failures_in_a_row(libraries):
    """A success starts the count again."""
    for attempt, rests in ((1, False), (2, False), (3, True)):
        write(libraries, refused_for_a_nul(libraries), run_id=f"run {attempt}")
        ((_, _, failures, wait_until),) = rows(libraries, FAILURES)
        assert (failures, wait_until is not None) == (attempt, rests)
    assert [library.library_id for page in pages(libraries) for library in page] == [1, 2, 3, 4, 6, 7, 8]
    a_day = "SELECT wait_until - now() BETWEEN interval '23 h' AND interval '24 h' FROM wxyc_assets.quarantine"
    assert rows(libraries, a_day) == [(True,)]
    write(libraries, single_artist(5))
    write(libraries, refused_for_a_nul(libraries))
    assert rows(libraries, FAILURES) == [(5, "writer_error", 1, None)]


def test_violations_are_quarantined_and_lml_failures_are_not(libraries):
    outcomes = [classify_answer(1, single_artist(1, confidence=2)), classify_answer(2, single_artist(2))]
    lost = [type(outcomes[0])(library_id, "lml_error") for library_id in (3, 4)]
    ShardWriter(libraries, "run", 0).write([*outcomes, *lost], Counters())
    assert [row[:3] for row in rows(libraries, FAILURES)] == [(1, "contract_violation", 1)]


def test_tally_counts_what_was_committed_before_a_failure(libraries):
    """The first half of a bisected page is committed, then the role may no longer write."""
    libraries.execute(
        "CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.library_id > 4 THEN "
        "RAISE insufficient_privilege; END IF; RETURN NEW; END $$"
    )
    libraries.execute("CREATE TRIGGER stop BEFORE INSERT ON library_identity FOR EACH ROW EXECUTE FUNCTION stop()")
    libraries.execute("ALTER TABLE library_identity ADD CHECK (library_id <> 2)")
    writer = ShardWriter(libraries, "run", 0)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        write(libraries, *(single_artist(i) for i in (1, 2, 3, 4, 5, 6)), writer=writer)
    # The halves are 1 2 3 and 4 5 6. The second failed as a whole, and not because of one row.
    assert [row[0] for row in rows(libraries, IDENTITY)] == [1, 3]
    counters, _ = tally(libraries)
    assert counters == writer.tallied
    assert (counters.scanned, counters.resolved, counters.writer_error) == (3, 2, 1)


def test_page_is_rolled_back_if_its_tally_cannot_be_written(libraries):
    write(libraries, single_artist(1))
    libraries.execute("ALTER TABLE wxyc_assets.tally RENAME TO gone")
    with pytest.raises(psycopg.errors.UndefinedTable):
        write(
            libraries, single_artist(1, confidence=0.5), single_artist(2), unresolved(3), single_artist(4, confidence=7)
        )
    assert [(row[0], row[-3]) for row in rows(libraries, IDENTITY)] == [(1, pytest.approx(0.93))]
    assert rows(libraries, "SELECT FROM library_identity_history") == []
    assert rows(libraries, "SELECT FROM library WHERE unresolved_attempted_at IS NOT NULL") == []
    assert rows(libraries, FAILURES) == []


def test_lost_connection_is_not_bisected(station, libraries):
    with station.connect() as doomed:
        libraries.execute("SELECT pg_terminate_backend(%s)", [doomed.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            write(doomed, *(single_artist(i) for i in range(1, 9)))
    assert rows(libraries, IDENTITY) == []
    assert rows(libraries, FAILURES) == []


def test_page_is_retried_after_a_lock_conflict_and_counted_once(libraries):
    libraries.execute("CREATE SEQUENCE attempts")
    add_trigger(libraries, "IF nextval('attempts') < 3 THEN RAISE deadlock_detected; END IF")
    writer, outcomes = write(libraries, *(single_artist(i) for i in range(1, 9)))
    assert {one.bucket for one in outcomes} == {"resolved"}
    assert len(rows(libraries, IDENTITY)) == 8
    assert tally(libraries)[0] == writer.tallied
    assert writer.tallied.scanned == 8


def test_history_has_what_another_writer_stored_last(station, libraries):
    """It commits while the page waits for the row: what the page then replaces is the other's identity."""
    write(libraries, single_artist(1))
    with station.connect() as other:
        with other.transaction():
            other.execute("UPDATE library_identity SET wikidata_qid = 'Q-other', notes = 'other' WHERE library_id = 1")
            written = in_thread(lambda: write(libraries, single_artist(1, main={"wikidata_qid": "Q9"})))
            wait_until_blocked(station, by=other)
        writer, _ = written()
    history = rows(libraries, "SELECT wikidata_qid, notes FROM library_identity_history")
    assert history == [("Q-other", "other")]
    assert rows(libraries, "SELECT wikidata_qid FROM library_identity") == [("Q9",)]
    assert writer.tallied.history_rows_written == 1


def test_two_writers_in_a_deadlock_both_finish(station, libraries):
    """The other locks library 2, then waits for 1. The page locks 1, because it stamps in table order, then waits for 2."""
    with station.connect() as other:
        libraries.execute("SET deadlock_timeout TO '500ms'")  # this session detects the deadlock first and is cancelled
        other.execute("SET deadlock_timeout TO '20s'")
        with other.transaction():
            other.execute("UPDATE library SET plays = 1 WHERE id = 2")
            written = in_thread(lambda: write(libraries, unresolved(1), unresolved(2)))
            wait_until_blocked(station, by=other)
            other.execute("UPDATE library SET plays = 1 WHERE id = 1")
        _, outcomes = written()
    assert [one.bucket for one in outcomes] == ["unresolved", "unresolved"]
    stored = rows(libraries, "SELECT plays, unresolved_attempted_at IS NULL FROM library WHERE id < 3")
    assert stored == [(1, False)] * 2
