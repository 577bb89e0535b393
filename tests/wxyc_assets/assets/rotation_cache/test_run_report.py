"""What a run says came of it: done, done with something to look at, or could not be done."""

import pytest

from resources.deploy_gate.rules import Ruling
from tests.wxyc_assets.rotation_cache.warmings import request, today
from wxyc_assets.finding import Finding
from wxyc_assets.rotation_cache.counters import Counters
from wxyc_assets.rotation_cache.run_report import RunReport

OPEN, CLOSED = Ruling(is_open=True, reason="new enough"), Ruling(is_open=False, reason="too old")
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
        (MOSTLY, {}, "done"),  # LML said so of each: its check warns
        (ERRORS, {}, "anomaly"),  # nothing was warmed, whatever LML called it
        (SOME, {}, "anomaly"),
        (GOOD, {"findings": [Finding("x", passed=False)]}, "anomaly"),
        (GOOD, {"findings": [Finding("x", passed=False, severity="WARN")]}, "done"),
        (DOWN, {}, "failed"),
        (Counters(), {"ruling": CLOSED}, "failed"),
        (GOOD, {"database_lost": "database: gone"}, "failed"),
        (GOOD, {"lost": "database: gone"}, "failed"),
        (Counters(), {"refused": {"2026-01-01": "not today"}}, "failed"),
    ],
)
def test_the_verdict_says_whether_the_job_was_done_and_whether_to_look(counters, fields, verdict):
    report = RunReport(request(), **{"ruling": OPEN, "counters": counters, **fields})
    assert report.verdict == verdict
    assert bool(report.reason) == (verdict != "done")


def test_the_reason_of_a_closed_gate_names_the_day_and_what_the_gate_said():
    report = RunReport(request(), ruling=CLOSED, findings=[Finding("deploy_gate_open", passed=False)])
    assert report.reason == f"day {today()}: the deploy gate is closed: too old; failed checks: deploy_gate_open"


def test_a_run_that_warmed_nothing_at_all_says_so():
    report = RunReport(request(), ruling=OPEN, counters=ERRORS)
    assert report.reason == "LML had no usable answer for any of the 4 identities, and nothing was warmed"
