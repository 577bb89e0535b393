"""What a run says came of it: done, done with something to look at, or could not be done."""

import pytest

from tests.wxyc_assets.rotation_identity.rotations import request
from wxyc_assets.finding import Finding
from wxyc_assets.rotation_identity.counters import Counters
from wxyc_assets.rotation_identity.run_report import RunReport

GOOD = Counters(scanned=4, resolved=4)
UNKNOWN = Counters(scanned=4, unresolved=4)
RACED = Counters(scanned=4, raced=4)
SOME = Counters(scanned=4, resolved=3, lml_error=1)
WRONG = Counters(scanned=4, contract_violation=3, lml_error=1)
DOWN = Counters(scanned=4, lml_error=4)
DRY = Counters(scanned=4, resolved_dry=4)


@pytest.mark.parametrize(
    ("counters", "fields", "verdict"),
    [
        (Counters(), {}, "done"),
        (GOOD, {}, "done"),
        (UNKNOWN, {}, "done"),  # its check says what is wrong
        (RACED, {}, "done"),
        (DRY, {}, "done"),
        (SOME, {}, "anomaly"),
        (WRONG, {}, "anomaly"),
        (GOOD, {"findings": [Finding("x", passed=False)]}, "anomaly"),
        (GOOD, {"findings": [Finding("x", passed=False, severity="WARN")]}, "done"),
        (DOWN, {}, "failed"),
        (GOOD, {"stopped": "database: gone"}, "failed"),
        (GOOD, {"lost": "database: gone"}, "failed"),
        (Counters(), {"refused": {"all": "somebody has it"}}, "failed"),
    ],
)
def test_the_verdict_says_whether_the_job_was_done_and_whether_to_look(counters, fields, verdict):
    made = RunReport(request(), counters, **fields)
    assert made.verdict == verdict
    assert bool(made.reason) == (verdict != "done")


def test_the_reason_says_how_many_rows_lml_did_not_answer_for():
    assert RunReport(request(), DOWN).reason == (
        "LML answered for none of the 4 rows asked; `wxyc doctor` says whether it is up"
    )
    assert RunReport(request(), SOME).reason == "LML did not answer for 1 rows, which the next run asks again"
