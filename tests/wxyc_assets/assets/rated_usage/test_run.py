"""Whole runs over hours: credits, failed hours, verdicts, plans and lateness."""

from datetime import timedelta

import pytest

from resources.price_file import PriceFileError
from tests.run_harness import RecordedProgress
from tests.wxyc_assets.assets.rated_usage.harness import HOUR, PRICES, TEN, add_hours, billed_hours, event
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.runs.partitions import hour_key

OVERFLOWS = "9999999999.9"


def test_each_hour_is_credited_once_with_its_own_numbers(billing):
    add_hours(billing, 3)
    report = billing.run(hours=3)
    assert report.verdict == "done"
    assert sorted(done.hour for done in billing.credited) == [hour_key(TEN + place * HOUR) for place in range(3)]
    assert {done.rated.counters.events for done in billing.credited} == {1}
    assert {done.price_digest for done in billing.credited} == {billing.book.digest}
    assert (report.total.counters.events_rated, str(report.total.total_cost)) == (3, "0.001500000")
    assert [line["hour"] for line in billing.steps("hour_rated")] == [done.hour for done in billing.credited]
    (row,) = billing.query("SELECT * FROM wxyc_assets.run")
    assert (row["run_id"], row["origin"], row["verdict"], row["reason"]) == (
        report.request.run_id,
        "explicit",
        "done",
        None,
    )


def test_a_failed_hour_of_24_does_not_stop_the_others(billing):
    """Each of the other hours is committed before its callback. The reason names the failed hour."""
    billing.prices = Prices({**PRICES.base_models, "huge": (OVERFLOWS, "0", "0")})
    add_hours(billing, 24)
    billing.add(event("huge", (2**31 - 1, 0, 0), event_ts=TEN + 16 * HOUR))
    seen = []
    billing.on_done = lambda done: seen.append(
        (done.hour, done.hour in {hour_key(hour) for hour in billed_hours(billing)})
    )
    report = billing.run(hours=24)
    seventeenth = hour_key(TEN + 16 * HOUR)
    assert sorted(seen) == [(hour_key(TEN + place * HOUR), True) for place in range(24) if place != 16]
    assert billed_hours(billing) == {TEN + place * HOUR for place in range(24) if place != 16}
    assert report.verdict == "failed"
    assert report.reason.startswith(f"hour {seventeenth}: database: NumericValueOutOfRange: numeric field overflow")
    assert [line["hour"] for line in billing.steps("hour_failed")] == [seventeenth]
    assert len(billing.steps("failed")) == 1
    assert next(finding for finding in report.findings if finding.name == "accounting_holds").passed


def test_invalid_prices_fail_the_run_with_every_problem(billing):
    add_hours(billing, 2)
    billing.run()
    before = billing.stored_exactly()
    billing.prices = Prices({"b": ("-1", "1e-6", "0.000001")})
    with pytest.raises(PriceFileError) as refused:
        billing.run(hours=2)
    assert len(refused.value.problems) == 2
    assert billing.stored_exactly() == before
    assert billing.query("SELECT verdict FROM wxyc_assets.run ORDER BY started_at")[-1]["verdict"] == "failed"
    assert all(problem in billing.steps("failed")[0]["error_message"] for problem in refused.value.problems)


def test_a_missing_schema_raises_a_migration_error(billing):
    billing.execute("DELETE FROM wxyc_assets.alembic_version")
    with pytest.raises(MigrationError):
        billing.run()


@pytest.mark.parametrize("origin", ["routine", "explicit"])
@pytest.mark.parametrize("deletes", [False, True])
@pytest.mark.parametrize("anomalous", [False, True])
def test_a_run_ends_as_the_decision_table_says(billing, origin, deletes, anomalous):
    billing.add(event(request_id="one"), event(resource_id="stays"))
    billing.run()
    if deletes:
        billing.execute("DELETE FROM billing_event WHERE request_id = 'one'")
    if anomalous:
        billing.add(event("unlisted"))
    report = billing.run(origin=origin)
    assert report.verdict == report.policy_decision.verdict
    assert report.verdict == ("anomaly" if anomalous or (deletes and origin == "routine") else "done")
    failed = {finding.name for finding in report.findings if not finding.passed and finding.severity == "ERROR"}
    assert failed == ({"unpriced_zero"} if anomalous else set()) | (
        {"reconciled_deletions"} if deletes and origin == "routine" else set()
    )
    levels = {line["step"]: line["level"] for line in billing.lines}
    assert levels["summary"] == ("error" if anomalous else "info")
    assert levels["hour_rated"] == (
        "error" if deletes and origin == "routine" else "info"
    )  # in the log even if the run is killed later
    assert levels.get("reconcile") == (None if not deletes else "error" if origin == "routine" else "info")
    assert len(billing.billed()) == (1 if deletes else 2)


def test_late_events_are_billed_in_the_hour_of_their_instant(billing):
    assert billing.run(TEN - 23 * HOUR, hours=25).total.counters.events == 0
    billing.add(event(event_ts=TEN + timedelta(minutes=1), created_at=TEN + 30 * HOUR))
    assert billing.run(TEN - 23 * HOUR, hours=25).total.counters.rows_inserted == 1
    assert billed_hours(billing) == {TEN}


def test_a_plan_has_the_numbers_of_the_run_that_follows(billing):
    """It changes nothing in the database."""
    add_hours(billing, 4)
    billing.run(hours=4)
    add_hours(billing, 2, resource_id="new")
    billing.execute("DELETE FROM billing_event WHERE event_ts = %s", [TEN + 3 * HOUR])
    billing.prices = Prices({"b": ("0.000006", "0", "0")})
    tables = "rated_usage", "wxyc_assets.usage_change", "wxyc_assets.tally", "wxyc_assets.run"
    before = [billing.query(f"SELECT ctid::text, * FROM {table} t ORDER BY 1") for table in tables]
    credited = len(billing.credited)
    plan = billing.run(hours=4, dry_run=True)
    assert [billing.query(f"SELECT ctid::text, * FROM {table} t ORDER BY 1") for table in tables] == before
    assert len(billing.credited) == credited
    assert billing.steps("reconcile")[-1]["message"].startswith("plan: reconcile would delete 1 rows")
    assert billing.steps("summary")[-1]["message"].startswith("plan: would rate")
    real = billing.run(hours=4)
    assert plan.plan == real.plan
    total = {name: str(number) for name, number in plan.plan["total"].items()}
    assert (total["rows_inserted"], total["rows_changed"], total["reconciled_deletions"]) == ("2", "3", "1")
    assert (total["cost_before"], total["cost_moved"], total["total_cost"]) == (
        "0.002000000",
        "0.001000000",
        "0.003000000",
    )


def test_a_routine_plan_with_deletions_is_no_anomaly(billing):
    billing.add(event())
    billing.run()
    billing.execute("DELETE FROM billing_event")
    report = billing.run(dry_run=True, origin="routine")
    assert report.verdict == "done"
    assert {line["level"] for line in billing.steps("hour_rated")} == {"info"}
    assert "reconciled_deletions" not in {finding.name for finding in report.findings}


def test_progress_receives_the_number_of_hours_and_each_hour(billing):
    billing.progress = RecordedProgress()
    billing.run(hours=3)
    assert billing.progress.calls == [("rated_usage", 3, "hours"), 1, 1, 1, "finish"]


@pytest.mark.parametrize(("origin", "verdict"), [("routine", "anomaly"), ("explicit", "done")])
def test_late_hours_fail_the_check_of_a_routine_run_only(billing, origin, verdict):
    billing.now = TEN + 5 * HOUR
    report = billing.run(origin=origin, trailing=3)  # of 12 to 15, only the first is due
    late = next(finding for finding in report.findings if finding.name == "trailing_hours_rated")
    assert (late.passed, late.numbers["late_hours"], report.verdict) == (True, 0, "done")
    billing.now = TEN + 5 * HOUR + timedelta(seconds=1)
    report = billing.run(origin=origin, trailing=3)
    late = next(finding for finding in report.findings if finding.name == "trailing_hours_rated")
    assert (late.passed, report.verdict) == (False, verdict)
    assert "2026-06-08-12:00" in late.description
    billing.run(TEN + 2 * HOUR)
    assert billing.run(origin=origin, trailing=3).verdict == "done"


def test_work_without_charge_is_only_a_warning(billing):
    billing.prices = Prices({"b": ("0", "0", "0.1")})
    billing.add(event())
    report = billing.run()
    assert report.verdict == "done"
    assert [finding.name for finding in report.findings if not finding.passed] == ["work_without_charge"]


def test_negative_tokens_fail_a_check_that_names_the_rows(billing):
    billing.add(event("b", (100, 0, 0)), event("b", (0, 0, -10)), event("b", (100, 0, 0), event_ts=TEN + HOUR))
    report = billing.run(hours=2)
    (found,) = (each for each in report.findings if each.name == "negative_tokens_zero")
    assert (found.passed, found.severity, found.by_partition) == (False, "ERROR", {hour_key(TEN): 1})
    assert "b of a on r (0.000300000 USD)" in found.description
    assert len(billing.billed()) == 2
