"""Runs whose rows change meanwhile, whose table refuses rows, or whose database is lost."""

import time
from dataclasses import replace

from tests.outage import Outage
from tests.run_harness import assert_stopped_without_its_locks, failed_checks
from tests.wxyc_assets.assets.rotation_identity.fake_lml import minted, release, serve_identities
from tests.wxyc_assets.assets.rotation_identity.harness import IDENTITIES, RotationIdentityRuns, counts
from wxyc_assets.assets.rotation_identity.counters import Counters


def test_a_row_that_changes_during_the_run_is_raced(rotation):
    def meddle(body):
        if release(body) == 1001:
            rotation.execute("UPDATE rotation SET lml_identity_id = 77 WHERE id = 1")
        if release(body) == 1002:
            rotation.execute("UPDATE rotation SET discogs_release_id = 999 WHERE id = 2")
        if release(body) == 1003:
            rotation.execute("DELETE FROM rotation WHERE id = 3")
        return minted(body)

    with serve_identities(meddle) as lml:
        report = rotation.run(lml.url)
    assert counts(report, "scanned", "resolved", "raced") == {"scanned": 60, "resolved": 57, "raced": 3}
    expected = {**IDENTITIES, 1: 77, 2: None}
    del expected[3]
    assert rotation.identities == expected
    rotation.assert_adds_up(report)
    assert (report.verdict, failed_checks(report)) == (
        "anomaly",
        {"coverage_of_resolvable"},
    )  # 58 of 59 rows are too few
    with serve_identities(minted) as lml:
        again = rotation.run(lml.url)
    assert ([release(body) for body in lml.asked], again.verdict) == ([999], "done")


def test_a_row_refused_by_the_table_does_not_stop_the_run(rotation):
    rotation.execute("ALTER TABLE rotation ADD CONSTRAINT not_these CHECK (lml_identity_id % 20 <> 7) NOT VALID")
    with serve_identities(minted) as lml:
        report = rotation.run(lml.url)
    refused = [rotation_id for rotation_id, identity in IDENTITIES.items() if identity % 20 == 7]
    assert len(refused) == 3
    assert counts(report, "scanned", "resolved", "writer_error") == {"scanned": 60, "resolved": 57, "writer_error": 3}
    assert rotation.resolved == {i: identity for i, identity in IDENTITIES.items() if i not in refused}
    assert rotation.quarantined == [(i, "writer_error", 1, False, False) for i in refused]
    assert [line["rotation_id"] for line in rotation.steps("writer_error")] == refused
    assert failed_checks(report) == {"writer_errors_zero", "coverage_of_resolvable"}
    assert report.verdict == "anomaly"
    rotation.assert_adds_up(report)


def test_a_row_locked_beyond_the_statement_timeout_stops_the_run(rotation):
    """The batches before it are kept, with their tally."""
    short_timeout = RotationIdentityRuns(replace(rotation.postgres, statement_timeout_ms=2000))
    with rotation.postgres.connect() as other, other.transaction():
        other.execute("SELECT FROM rotation WHERE id = 25 FOR UPDATE")
        with serve_identities(minted) as lml:
            report = short_timeout.run(lml.url)
    assert report.verdict == "failed"
    assert "QueryCanceled" in report.reason
    assert rotation.resolved == {i: IDENTITIES[i] for i in range(1, 21)}
    assert counts(report, "scanned", "resolved") == {"scanned": 20, "resolved": 20}
    rotation.assert_adds_up(report)
    assert rotation.rows("SELECT complete FROM wxyc_assets.tally") == [(False,)]


def test_a_lost_session_fails_the_run_but_keeps_committed_rows(rotation):
    def kill(body):
        if release(body) == 1055:
            while len(rotation.resolved) < 20:
                time.sleep(0.01)
            rotation.kill_sessions()
        return minted(body)

    with serve_identities(kill) as lml:
        report = rotation.run(lml.url)
    assert report.verdict == "failed"
    assert "database" in report.reason
    tallied = Counters.from_stored(rotation.tallied(report.request.run_id))
    assert 20 <= tallied.scanned == tallied.accounted < 60
    assert tallied.resolved == len(rotation.resolved)
    with serve_identities(minted) as lml:
        assert rotation.run(lml.url).verdict == "done"
    assert rotation.identities == IDENTITIES


def test_a_lost_database_fails_the_run_and_the_next_one_finishes(rotation, server):
    """The reason has the database's own message."""
    outage = Outage(server.dsn("postgres"), rotation.postgres)

    def go_away(body):
        if release(body) == 1055:
            while len(rotation.resolved) < 20:
                time.sleep(0.01)
            outage.begin()
        return minted(body)

    try:
        with serve_identities(go_away) as lml:
            report = rotation.run(lml.url)
    finally:
        outage.end()
    assert (report.verdict, "not currently accepting connections" in report.reason) == ("failed", True)
    assert report.coverage is None
    assert [line["step"] for line in rotation.lines[-2:]] == ["finished", "failed"]
    assert Counters.from_stored(rotation.tallied(report.request.run_id)) == report.counters
    assert report.counters.resolved == len(rotation.resolved)
    with serve_identities(minted) as lml:
        assert rotation.run(lml.url).verdict == "done"
    assert rotation.identities == IDENTITIES


def test_run_without_its_locks_writes_nothing_beside_a_second(rotation):
    """Only the session of the locks is ended; a second run starts while the first holds answers that it has not written."""
    second = []

    def end_locks_and_run_again(body):
        if release(body) == 1025:
            while len(rotation.resolved) < 20:
                time.sleep(0.01)
            rotation.end_lock_session("first")
            with serve_identities(minted) as other:
                second.append(RotationIdentityRuns(rotation.postgres).run(other.url))
        return minted(body)

    with serve_identities(end_locks_and_run_again) as lml:
        first = rotation.run(lml.url, run_id="first")
    assert_stopped_without_its_locks(first)
    assert counts(first, "scanned", "resolved") == {"scanned": 20, "resolved": 20}
    assert second[0].verdict == "done"
    assert counts(second[0], "scanned", "resolved") == {"scanned": 40, "resolved": 40}
    assert rotation.identities == IDENTITIES
