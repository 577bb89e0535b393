"""The verdict and the reason of a run."""

import pytest

from resources.deploy_gate.rules import GateDecision
from tests.wxyc_assets.assets.rotation_cache.harness import request, today
from wxyc_assets.assets.rotation_cache.counters import Counters
from wxyc_assets.assets.rotation_cache.run_report import RunReport
from wxyc_assets.runs.findings import Finding

OPEN, CLOSED = GateDecision(is_open=True, reason="new enough"), GateDecision(is_open=False, reason="too old")
GOOD = Counters(identities_scanned=4, identities_resolved=4, warmed=4)
MOSTLY = Counters(identities_scanned=4, identities_resolved=1, warmed=1, lml_error=3)
ERRORS = Counters(identities_scanned=4, lml_error=4)
SOME = Counters(identities_scanned=4, identities_resolved=3, warmed=3, lml_error=1, batch_error=1)
DOWN = Counters(identities_scanned=4, lml_error=4, batch_error=4)


@pytest.mark.parametrize(
    ("counters", "fields", "verdict"),
    [
        (Counters(), {}, "done"),
        (GOOD, {}, "done"),
        (MOSTLY, {}, "done"),  # LML answered "error" for each; the check warns
        (ERRORS, {}, "anomaly"),  # nothing was warmed
        (SOME, {}, "anomaly"),
        (GOOD, {"findings": [Finding("x", passed=False)]}, "anomaly"),
        (GOOD, {"findings": [Finding("x", passed=False, severity="WARN")]}, "done"),
        (DOWN, {}, "failed"),
        (Counters(), {"gate_decision": CLOSED}, "failed"),
        (GOOD, {"database_lost": "database: gone"}, "failed"),
        (GOOD, {"lost": "database: gone"}, "failed"),
        (Counters(), {"refused": {"2026-01-01": "not today"}}, "failed"),
    ],
)
def test_the_verdict_is_done_anomaly_or_failed(counters, fields, verdict):
    report = RunReport(request(), **{"gate_decision": OPEN, "counters": counters, **fields})
    assert report.verdict == verdict
    assert bool(report.reason) == (verdict != "done")


def test_the_reason_has_the_day_and_the_gates_reason():
    report = RunReport(request(), gate_decision=CLOSED, findings=[Finding("deploy_gate_open", passed=False)])
    assert report.reason == f"day {today()}: the deploy gate is closed: too old; failed checks: deploy_gate_open"


def test_the_reason_says_that_nothing_was_warmed():
    report = RunReport(request(), gate_decision=OPEN, counters=ERRORS)
    assert report.reason == "LML had no usable answer for any of the 4 identities, and nothing was warmed"
