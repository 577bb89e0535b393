"""Runs that are killed or interrupted, or that lose their database."""

import signal
import time
import uuid

from tests.run_harness import assert_stopped_without_its_locks, child, failed_checks
from tests.wxyc_assets.assets.rotation_cache.fake_lml import all_warmed, mixed, serve_refreshes
from tests.wxyc_assets.assets.rotation_cache.harness import IDENTITIES, RotationCacheRuns
from wxyc_assets.assets.rotation_cache.counters import Counters
from wxyc_assets.assets.rotation_cache.plan import Batching

A_RUN = "tests.wxyc_assets.assets.rotation_cache.run_process"


def test_a_killed_run_keeps_its_counts_and_the_next_warms_all(rotation):
    def slowly(ids):
        time.sleep(0.05)
        return mixed(ids)

    run_id = str(uuid.uuid4())
    with serve_refreshes(slowly) as lml:
        with child(A_RUN, rotation.postgres.dsn, lml.url, run_id) as process:
            while len(lml.asked) < 12 and process.poll() is None:
                time.sleep(0.005)
            process.kill()
            assert process.wait() == -signal.SIGKILL
        killed = Counters.from_stored(rotation.tallied(run_id))
        assert 0 < killed.identities_scanned < 60
        assert killed.identities_scanned == killed.accounted == killed.identities_resolved + killed.lml_error
        assert [one for one, *_ in rotation.stale] == list(range(110, 101 + killed.identities_scanned, 10))
        left = rotation.rows("SELECT ended_at, discogs_calls_left FROM wxyc_assets.run")
        assert left == [(None, (60 - killed.identities_scanned) * 4)]
        lml.asked.clear()
        report = rotation.run(lml.url)  # the lock of the killed run ended with its session
    assert sorted(one for call in lml.asked for one in call) == IDENTITIES
    assert report.counters.identities_scanned == 60
    rotation.assert_adds_up(report)


def test_an_interrupted_run_ends_while_its_lml_calls_still_hang(rotation):
    """LML gives no answer before the end of the test."""
    with serve_refreshes(all_warmed) as lml, child(A_RUN, rotation.postgres.dsn, lml.url, "interrupted") as process:
        rotation.assert_ends_on_interrupt(process, lml, "interrupted")


def test_a_lost_database_fails_the_run_but_keeps_its_counts(rotation):
    def pull_the_plug(ids):
        if ids[0] == 131:
            rotation.kill_sessions()
        return all_warmed(ids)

    with serve_refreshes(pull_the_plug) as lml:
        report = rotation.run(lml.url, batching=Batching(10, 1))
    assert (report.verdict, rotation.credited) == ("failed", [])
    assert "database" in report.reason
    assert 0 < report.counters.identities_scanned < 60
    assert rotation.tallied(report.request.run_id) == report.counters.stored()
    assert "accounting_holds" not in failed_checks(report)  # the accounting covers the processed identities only
    assert len(lml.asked) < 6


def test_run_without_its_locks_counts_nothing_beside_a_second(rotation):
    """Only the session of the locks is ended; a second run starts while the first waits for its fourth answer."""
    second = []

    def end_locks_and_run_again(ids):
        if ids[0] == 131:
            rotation.end_lock_session("first")
            with serve_refreshes(all_warmed) as other:
                second.append(RotationCacheRuns(rotation.postgres).run(other.url))
        return all_warmed(ids)

    with serve_refreshes(end_locks_and_run_again) as lml:
        first = rotation.run(lml.url, batching=Batching(10, 1), run_id="first")
    assert_stopped_without_its_locks(first)
    assert (first.counters.identities_scanned, second[0].counters.identities_scanned) == (30, 60)
    assert second[0].verdict == "done"
    assert len(lml.asked) <= 5  # one batch was sent ahead
    assert rotation.credited == []
    assert rotation.tallied("first") == first.counters.stored()
