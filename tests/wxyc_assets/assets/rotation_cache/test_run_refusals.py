"""Days, gates, locks and databases that a run refuses, before it asks LML for a refresh."""

import pytest

from resources.postgres import Postgres
from tests.resources.lml import loopback
from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.rotation_cache.fake_lml import GATE_SHA, all_warmed, serve_refreshes
from tests.wxyc_assets.assets.rotation_cache.harness import RotationCacheRuns, in_days, today
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.runs import advisory_locks


@pytest.mark.parametrize(
    "days",
    [[str(in_days(-1))], [str(in_days(1))], [str(in_days(-1)), str(today())], [str(in_days(d)) for d in range(-9, 1)]],
)
def test_any_other_day_is_refused_with_one_reason(rotation, days):
    with serve_refreshes(all_warmed) as lml:
        report = rotation.run(lml.url, days=days)
    assert (lml.asked, lml.health_asked) == ([], 0)
    assert (report.verdict, rotation.credited, report.findings) == ("failed", [], [])
    assert report.reason.count("only the cache of today") == 1  # one reason for all days
    assert "yesterday's cannot be warmed any more" in report.reason
    assert days[0] in report.reason
    assert rotation.rows("SELECT FROM wxyc_assets.tally") == []
    assert rotation.rows("SELECT verdict, reason FROM wxyc_assets.run") == [("failed", report.reason)]
    (line,) = rotation.steps("failed")
    assert line["error_message"] == report.reason


def test_a_closed_gate_fails_the_run_before_any_request(rotation):
    with serve_refreshes(all_warmed) as lml:
        lml.health = (503, {})
        report = rotation.run(lml.url)
    assert lml.asked == []
    assert (report.verdict, rotation.credited) == ("failed", [])
    assert "the deploy gate is closed" in report.reason
    assert failed_checks(report) == {"deploy_gate_open"}
    assert [finding.name for finding in report.findings] == ["deploy_gate_open"]
    assert rotation.rows("SELECT FROM wxyc_assets.tally") == []
    assert [line["step"] for line in rotation.lines] == ["init", "deploy_guard", "failed"]
    (line,) = rotation.steps("deploy_guard")
    assert (line["level"], line["error_name"]) == ("error", "DeployGuardError")
    assert "503" in line["error_message"]


def test_an_open_gate_logs_its_commit_and_reason(rotation):
    with serve_refreshes(all_warmed) as lml:
        rotation.run(lml.url)
    (line,) = rotation.steps("deploy_guard")
    assert (line["level"], line["commit_sha"]) == ("info", GATE_SHA + "0" * 33)
    assert line["reason"]


def test_another_commit_is_compared_before_any_request(rotation):
    with serve_refreshes(all_warmed) as lml, loopback.serving() as github:
        rotation.github = github.url
        lml.health = {"status": "healthy", "commit_sha": "f00d"}
        github.always = loopback.answer({"status": "behind"})
        refused = rotation.run(lml.url)
        assert lml.asked == []
        github.always = loopback.answer({"status": "ahead"})
        report = rotation.run(lml.url)
    assert (refused.verdict, report.verdict) == ("failed", "done")


def test_an_lml_without_a_commit_is_probed(rotation, sandbox):
    """The probe asks for no refresh."""
    report = rotation.run(sandbox.url)
    assert report.gate_decision.is_open
    assert (report.gate_decision.commit_sha, report.counters.identities_scanned) == (None, 60)
    assert "422" in report.gate_decision.reason


def test_two_runs_of_one_day_never_run_at_the_same_time(rotation):
    with advisory_locks.run_locks(rotation.postgres, "the-other-run") as locks, serve_refreshes(all_warmed) as lml:
        locks.take([advisory_locks.unit("rotation_cache", str(today()))])
        report = rotation.run(lml.url)
        assert (lml.asked, lml.health_asked) == ([], 0)
    assert (report.verdict, rotation.credited) == ("failed", [])
    assert "the-other-run" in report.reason
    assert rotation.rows("SELECT FROM wxyc_assets.tally") == []


def test_a_run_holds_the_lock_of_its_day(rotation):
    held = []
    unit = advisory_locks.unit("rotation_cache", str(today()))

    def answer_and_look(ids):
        with rotation.postgres.connect() as connection:
            held.append(advisory_locks.held_units(connection, [unit]))
        return all_warmed(ids)

    with serve_refreshes(answer_and_look) as lml:
        rotation.run(lml.url)
    assert held
    assert all(one == {unit} for one in held)
    rotation.wait_until_released([unit])


def test_a_missing_schema_is_refused_before_any_call(database):
    with serve_refreshes(all_warmed) as lml, pytest.raises(MigrationError):
        RotationCacheRuns(Postgres(database)).run(lml.url)
    assert (lml.asked, lml.health_asked) == ([], 0)
