"""Locks of a run, and runs that are killed or interrupted."""

import signal
import time
import uuid

from tests.run_harness import child
from tests.wxyc_assets.assets.rotation_identity.fake_lml import minted, serve_identities
from tests.wxyc_assets.assets.rotation_identity.harness import IDENTITIES, UNIT
from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.runs import advisory_locks


def test_two_runs_never_process_the_rotation_at_once(rotation):
    with advisory_locks.run_locks(rotation.postgres, "the-other-run") as locks:
        assert locks.take([UNIT]) == []
        with serve_identities(minted) as lml:
            report = rotation.run(lml.url)
    assert (report.verdict, lml.asked, rotation.resolved) == ("failed", [], {})
    assert "the-other-run" in report.reason
    assert report.findings == []
    assert rotation.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]


def test_a_run_holds_its_locks_until_it_ends(rotation):
    run_id = str(uuid.uuid4())
    units = [UNIT, advisory_locks.run_unit(run_id)]
    held = []

    def answer_and_look(body):
        with rotation.postgres.connect() as connection:
            held.append(advisory_locks.held_units(connection, units))
        return minted(body)

    with serve_identities(answer_and_look) as lml:
        rotation.run(lml.url, run_id=run_id)
    assert held == [set(units)] * 60
    rotation.wait_until_released(units)


def running(rotation, url, run_id):
    """A run in a process of its own, whose LML calls time out only after ten minutes."""
    return child("tests.wxyc_assets.assets.rotation_identity.run_process", rotation.postgres.dsn, url, run_id)


def test_a_killed_run_counts_what_it_wrote_and_the_next_finishes(rotation):
    """The locks of the killed run end with its session."""

    def slowly(body):
        time.sleep(0.1)
        return minted(body)

    with serve_identities(slowly) as lml:
        with running(rotation, lml.url, "killed") as process:
            while len(lml.asked) < 45:
                time.sleep(0.005)
                assert process.poll() is None
            process.kill()
            assert process.wait() == -signal.SIGKILL
        tallied = Counters.from_stored(rotation.tallied("killed"))
        assert 20 <= tallied.scanned == tallied.resolved == len(rotation.resolved) < 60
        report = rotation.run(lml.url)
    assert report.verdict == "done", report.reason
    assert report.counters.resolved == 60 - tallied.resolved
    assert rotation.identities == IDENTITIES


def test_an_interrupted_run_ends_while_its_lml_calls_still_hang(rotation):
    """LML gives no answer before the end of the test."""
    with serve_identities(minted) as lml, running(rotation, lml.url, "interrupted") as process:
        rotation.assert_ends_on_interrupt(process, lml, "interrupted")
