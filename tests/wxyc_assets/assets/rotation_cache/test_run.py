"""Whole runs over real HTTP and a real database: requests, counters, dry runs, and checks without a run."""

from typing import Any

import pytest

from resources.lml.models import Health, RefreshAnswer
from tests.run_harness import failed_checks
from tests.wxyc_assets.assets.rotation_cache.fake_lml import GATE_SHA, all_warmed, mixed, serve_refreshes, source
from tests.wxyc_assets.assets.rotation_cache.harness import IDENTITIES, counts, in_days, request, today, totals
from wxyc_assets.assets.rotation_cache.counters import Counters
from wxyc_assets.assets.rotation_cache.plan import Batching
from wxyc_assets.assets.rotation_cache.run import evaluate_stored, run
from wxyc_assets.runs import advisory_locks
from wxyc_assets.runs.discogs_rate import DiscogsRate


def test_every_identity_is_requested_once_in_batches(rotation):
    with serve_refreshes(all_warmed) as lml:
        report = rotation.run(lml.url, batching=Batching(25, 3))
    assert sorted(lml.asked) == [IDENTITIES[:25], IDENTITIES[25:50], IDENTITIES[50:]]
    assert all(list(body) == ["identity_ids"] for body in lml.bodies)
    assert {headers["Authorization"] for headers in lml.headers} == {"Bearer sandbox-key"}
    assert totals(report) == [60, 60, 60, 120, 0, 0, 0]
    assert (report.verdict, report.reason, failed_checks(report)) == ("done", "", set())
    assert rotation.credited == [str(today())]
    assert counts(report, "batches", "lml_total_calls") == {"batches": 3, "lml_total_calls": 3}
    rotation.assert_adds_up(report)


def test_statuses_and_sources_are_counted_as_in_the_contract(rotation):
    def answer(ids):
        answers = mixed(ids)
        for one in answers:
            if one["identity_id"] == 103:
                one["sources"] = None
            if one["identity_id"] == 104:
                one["sources"] = {"discogs": source(), "bandcamp": source(artists=()), "spotify": None}
            if one["identity_id"] == 105:
                one["sources"] = {"discogs": source("error", ("success", "error"))}
        return answers

    with serve_refreshes(answer) as lml:
        report = rotation.run(lml.url)
    # 42 are warmed: 39 with a release and two artists, one with nothing, one with two and one, one with none and one.
    assert totals(report) == [60, 54, 41, 80, 6, 6, 6]
    assert counts(report, "warmed", "batch_error", "unknown_status") == {
        "warmed": 42, "batch_error": 0, "unknown_status": 0,
    }  # fmt: skip
    assert failed_checks(report) == {"error_rate_healthy", "not_found_rate"}
    rotation.assert_adds_up(report)


def test_a_rotation_without_identities_is_credited_with_no_call(empty_rotation):
    empty_rotation.add(None)
    with serve_refreshes(all_warmed) as lml:
        report = empty_rotation.run(lml.url)
    assert (lml.asked, report.verdict, totals(report)) == ([], "done", [0] * 7)
    assert empty_rotation.credited == [str(today())]
    empty_rotation.assert_adds_up(report)


def test_a_run_does_not_change_the_stations_tables(rotation):
    before = {name: rows for name, rows in rotation.everything().items() if not name.startswith("wxyc_assets.")}
    with serve_refreshes(mixed) as lml:
        rotation.run(lml.url)
    after = rotation.everything()
    assert {name: after[name] for name in before} == before


def test_a_dry_run_evaluates_the_gate_and_reports_the_calls(rotation):
    """It asks LML for no refresh, changes nothing, and does not wait for the lock of another run."""
    rotation.execute("UPDATE wxyc_assets.budget SET tat = now() + interval '1 hour'")
    before = rotation.everything()
    with serve_refreshes(all_warmed) as lml, advisory_locks.run_locks(rotation.postgres, "the-other-run") as locks:
        locks.take([advisory_locks.unit("rotation_cache", str(today()))])
        dry = rotation.run(
            lml.url,
            dry_run=True,
            discogs_rate=DiscogsRate(30, 4),
            batching=Batching.within_budget(DiscogsRate(30, 4), 3),
        )
        assert (lml.asked, lml.health_asked) == ([], 1)
    assert rotation.everything() == before
    assert (dry.verdict, rotation.credited) == ("done", [])
    assert dry.counters == Counters(identities_scanned=60)
    assert {finding.name: finding.passed for finding in dry.findings} == {
        "deploy_gate_open": True, "accounting_holds": True,
    }  # fmt: skip
    report = dict(dry.dry_run_report)
    assert report.pop("budget_backlog_s") == pytest.approx(3600, abs=60)
    assert report == {
        "identities_scanned": 60, "batch_count": 20, "calls": 20, "discogs_calls": 240, "budget_ours_s": 480,
    }  # fmt: skip
    assert [line["step"] for line in rotation.lines] == ["init", "deploy_guard", "plan", "dry_run", "done"]
    (line,) = rotation.steps("dry_run")
    assert (line["identities_scanned"], line["batch_count"]) == (60, 20)
    assert line["budget_done_at"] > line["timestamp"]
    assert rotation.steps("done")[0]["dry_run"] is True


def test_a_dry_run_is_refused_for_the_same_reasons_as_a_real_run(rotation):
    with serve_refreshes(all_warmed) as lml:
        other_day = rotation.run(lml.url, dry_run=True, days=[str(in_days(-1))])
        lml.health = (500, {})
        closed = rotation.run(lml.url, dry_run=True)
    assert (other_day.verdict, closed.verdict) == ("failed", "failed")
    assert rotation.rows("SELECT FROM wxyc_assets.run") == []


def test_two_checks_can_be_evaluated_without_a_run(rotation):
    with serve_refreshes(mixed) as lml, rotation.lml(lml.url) as client:
        rotation.run(lml.url)
        lml.asked.clear()
        before = rotation.everything()
        found = evaluate_stored({"deploy_gate_open", "not_found_rate", "accounting_holds"}, rotation.tools(client))
        lml.health = (503, {})
        (gate,) = evaluate_stored({"deploy_gate_open"}, rotation.tools(client))
        (rate,) = evaluate_stored({"not_found_rate"}, rotation.tools(client))
    assert {finding.name: finding.passed for finding in found} == {"deploy_gate_open": True, "not_found_rate": False}
    assert (gate.passed, rate.numbers["numerator"]) == (False, 6)
    assert lml.asked == []
    assert rotation.everything() == before


class Broken:
    """An LML client with a programming error."""

    def health(self):
        health = Health(commit_sha=GATE_SHA)
        health.record_call_stats(calls=1, latency_ms=1, http_status=200)
        return health

    def probe(self):
        raise AssertionError

    def refresh_for_identities(self, identity_ids):
        results: Any = all_warmed(identity_ids) if 101 in identity_ids else 7
        return RefreshAnswer.model_construct(results=results)


def test_a_programming_error_fails_the_run_and_is_raised(rotation):
    with pytest.raises(TypeError):
        run(request(), rotation.tools(Broken()), rotation.credited.append)
    (line,) = rotation.steps("failed")
    assert (line["level"], line["error_name"]) == ("error", "TypeError")
    assert rotation.rows("SELECT verdict FROM wxyc_assets.run") == [("failed",)]
    assert rotation.credited == []
