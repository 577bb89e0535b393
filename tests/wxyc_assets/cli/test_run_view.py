"""The result of a run as lines for a terminal."""

from wxyc_assets.cli.outcome import ANOMALY, DONE, FAILED
from wxyc_assets.cli.run_view import MAX_HOURS, run_lines

PASSED = {"name": "accounting_holds", "passed": True, "severity": "ERROR"}
BROKEN = {"name": "answers_trusted", "passed": False, "severity": "ERROR"}
HOUR = {
    "rows_inserted": 2, "rows_changed": 1, "rows_unchanged": 5, "reconciled_deletions": 0, "cost_before": "1.10",
    "total_cost": "1.25",
}  # fmt: skip
SAME_HOUR = {**HOUR, "rows_inserted": 0, "rows_changed": 0}


def printed(**more):
    return {"asset": "library_identity", "dry_run": False, "totals": {"scanned": 8}, "checks": [PASSED], **more}


def test_a_good_run_shows_counts_and_passed_checks():
    assert run_lines(printed(), DONE) == ["library_identity: done", "  scanned 8", "  1 of 1 checks passed"]


def test_a_failed_check_is_named_with_the_reason():
    told = {**BROKEN, "name": "unrated_events", "description": "3 events are not billed"}
    lines = run_lines(printed(checks=[PASSED, BROKEN, told], reason="foreign answers"), ANOMALY)
    assert lines[0] == "library_identity: done, with an anomaly to look at"
    assert lines[2:] == [
        "  1 of 3 checks passed",
        "  FAIL answers_trusted (ERROR): `wxyc alerts` says what to do",
        "         `wxyc runbook answers_trusted` says what it means",
        "  FAIL unrated_events (ERROR): 3 events are not billed",
        "         `wxyc runbook unrated_events` says what it means",
        "  foreign answers",
    ]


def test_a_failed_run_is_never_called_done():
    assert run_lines(printed(totals={}), FAILED)[:2] == ["library_identity: failed", "  nothing was counted"]


def test_a_dry_run_says_that_nothing_was_written():
    lines = run_lines(printed(dry_run=True, dry_run_report={"would_ask": 5}), DONE)
    assert lines[0] == "library_identity: dry run, nothing written: done"
    assert "  report: would_ask 5" in lines


def test_a_plan_lists_each_hour_that_would_change():
    hours = {"2026-06-08-10:00": HOUR, "2026-06-08-11:00": SAME_HOUR}
    lines = run_lines(printed(dry_run=True, dry_run_report={"hours": hours, "total": HOUR}), DONE)
    change = "2 new, 1 changed, 0 gone, 5 as they are: 1.10 USD become 1.25 USD"
    assert lines[2:5] == ["  1 of 2 hours would change", f"  2026-06-08-10:00  {change}", f"  in total  {change}"]


def test_a_long_plan_says_how_many_hours_it_leaves_out():
    hours = {f"hour {number}": HOUR for number in range(MAX_HOURS + 3)}
    lines = run_lines(printed(dry_run_report={"hours": hours, "total": HOUR}), DONE)
    assert "  and 3 hours more: --json lists all" in lines
