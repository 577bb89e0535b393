"""A librarian's identity stands: LML is asked, and its other verdict is kept for the librarian to look at."""

from tests.blocked_sessions import wait_until_blocked
from tests.libraries import add_library
from tests.wxyc_assets.assets.library_identity.fake_lml import single_artist
from tests.wxyc_assets.assets.library_identity.tables import rows, write
from tests.wxyc_assets.assets.library_identity.test_writer import in_thread
from wxyc_assets.assets.library_identity.writer import DryRunWriter

CONTENT = (
    "SELECT library_id, discogs_release_id, wikidata_qid, spotify_id, method, notes FROM library_identity ORDER BY 1"
)
QUARANTINE = "SELECT input_id, kind, wait_until, reason FROM wxyc_assets.quarantine WHERE resolved_at IS NULL"


def add_manual(connection, library_id, wikidata_qid):
    add_library(connection, library_id)
    connection.execute(
        "INSERT INTO library_identity (library_id, discogs_release_id, wikidata_qid, spotify_id, method, confidence, notes, "
        "last_verified_at) VALUES (%s, 12, %s, %s, 'manual', 1, 'by hand', '2026-01-01Z')",
        [library_id, wikidata_qid, f"spotify-{library_id}"],
    )


def test_manual_identity_stands_and_a_different_verdict_is_kept(connection):
    add_manual(connection, 1, "Q999")
    add_manual(connection, 2, "Q2")
    add_library(connection, 3)
    before = rows(connection, CONTENT)
    writer, outcomes = write(connection, *(single_artist(one) for one in (1, 2, 3)))
    assert [outcome.bucket for outcome in outcomes] == ["manual_differs", "resolved", "resolved"]
    assert rows(connection, CONTENT)[:2] == before
    assert len(rows(connection, CONTENT)) == 3
    counted = writer.tallied
    assert (counted.scanned, counted.accounted, counted.resolved, counted.manual_differs) == (3, 3, 2, 1)
    assert rows(connection, QUARANTINE) == [(1, "manual_differs", None, "wikidata_qid Q999, LML says Q1")]
    assert rows(connection, "SELECT FROM library_identity_history") == []
    assert rows(connection, "SELECT DISTINCT library_id FROM library_identity_source") == [(3,)]
    fresh = "SELECT bool_and(last_verified_at > now() - interval '1 minute') FROM library_identity"
    assert rows(connection, fresh) == [(True,)]  # LML is asked again when it is stale


def test_dry_run_counts_manual_identities_as_a_run_does(connection):
    add_manual(connection, 1, "Q999")
    add_manual(connection, 2, "Q2")
    add_library(connection, 3)
    before = rows(connection, CONTENT)
    answers = [single_artist(library_id) for library_id in (1, 2, 3)]
    dry, _ = write(connection, *answers, writer=DryRunWriter(connection))
    assert rows(connection, CONTENT) == before
    writer, _ = write(connection, *answers)
    assert dry.tallied == writer.tallied


def test_verdict_that_agrees_again_ends_the_quarantine(connection):
    add_manual(connection, 1, "Q999")
    write(connection, single_artist(1))
    connection.execute("UPDATE library_identity SET wikidata_qid = 'Q1'")
    writer, _ = write(connection, single_artist(1), run_id="again")
    assert (writer.tallied.resolved, rows(connection, QUARANTINE)) == (1, [])


def test_identity_that_a_librarian_decides_meanwhile_stands(connection, station):
    """The librarian's transaction is open while the page is written, which waits for it."""
    add_library(connection, 1)
    write(connection, single_artist(1))
    with station.connect() as librarian:
        with librarian.transaction():
            librarian.execute("UPDATE library_identity SET method = 'manual', wikidata_qid = 'Q999'")
            result = in_thread(lambda: write(connection, single_artist(1), run_id="again"))
            wait_until_blocked(station, by=librarian)
        writer, _ = result()
    assert writer.tallied.manual_differs == 1
    assert rows(connection, "SELECT method, wikidata_qid FROM library_identity") == [("manual", "Q999")]
