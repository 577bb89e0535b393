"""The verdict, the reason and the summary of a run."""

import pytest

from tests.wxyc_assets.assets.rotation_identity.harness import request
from wxyc_assets.assets.rotation_identity.checks import Coverage
from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.run_report import OUTCOMES, RunReport
from wxyc_assets.runs.findings import Finding

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
        (UNKNOWN, {}, "done"),  # the coverage check reports it
        (RACED, {}, "done"),
        (DRY, {}, "done"),
        (SOME, {}, "anomaly"),
        (WRONG, {}, "anomaly"),
        (GOOD, {"findings": [Finding("x", passed=False)]}, "anomaly"),
        (GOOD, {"findings": [Finding("x", passed=False, severity="WARN")]}, "done"),
        (DOWN, {}, "failed"),
        (GOOD, {"stopped": "database: gone"}, "failed"),
        (GOOD, {"lost": "database: gone"}, "failed"),
        (Counters(), {"refused": {"all": "locked by another run"}}, "failed"),
    ],
)
def test_the_verdict_is_done_anomaly_or_failed(counters, fields, verdict):
    made = RunReport(request(), counters, **fields)
    assert made.verdict == verdict
    assert bool(made.reason) == (verdict != "done")


def test_the_reason_has_the_number_of_rows_without_an_answer():
    assert RunReport(request(), DOWN).reason == (
        "LML answered for none of the 4 rows asked; `wxyc doctor` says whether it is up"
    )
    assert RunReport(request(), SOME).reason == "LML did not answer for 1 rows, which the next run asks again"


def test_the_outcome_table_lists_the_counters_that_are_not_0():
    assert OUTCOMES.markdown(Counters(scanned=5, resolved=3, unresolved=2).stored()).splitlines() == [
        "| rows | outcome |",
        "|---:|---|",
        "| 3 | has its identity now |",
        "| 2 | LML has no identity for the release |",
    ]
    assert "no row needed an identity" in OUTCOMES.markdown(Counters().stored())


def test_a_missing_percentage_is_left_out_of_the_plotted_numbers():
    assert RunReport(request(), coverage=Coverage(9, 8, 6, 75.0, [3, 4])).coverage_numbers == {
        "active": 9, "active_with_discogs": 8, "active_with_lml": 6, "resolvable_coverage_pct": 75.0,
    }  # fmt: skip
    assert "resolvable_coverage_pct" not in RunReport(request(), coverage=Coverage(9, 0, 0, None)).coverage_numbers
    assert RunReport(request()).coverage_numbers == {}


def test_the_summary_has_no_partitions_and_the_contracts_totals():
    counters, findings = Counters(scanned=5, resolved=3, unresolved=2), [Finding("x", passed=False)]
    report = RunReport(request(dry_run=True), counters, findings=findings, dry_run_report={"would_ask": 5})
    summary = report.summary()
    assert (summary.partitions, summary.totals, summary.dry_run) == ([], counters.stored(), True)
    assert (summary.verdict, summary.findings, summary.dry_run_report) == ("anomaly", findings, {"would_ask": 5})
    assert summary.reason == "failed checks: x"
