from dataclasses import replace

import pytest

from wxyc_assets.assets.rated_usage import checks
from wxyc_assets.assets.rated_usage.counters import Counters, RatingResult
from wxyc_assets.assets.rated_usage.deletion_policy import decide
from wxyc_assets.assets.rated_usage.money import Usd

COUNTERS = Counters(
    events=10, events_rated=4, unpriced_events=3, unattributable_events=2, ambiguous_base_events=1,
    rollups_written=6, rows_inserted=1, rows_changed=2, rows_unchanged=3, reconciled_deletions=4,
    rows_before=9, rows_written=3, rows_deleted=4, changes_kept=7,
)  # fmt: skip
SOUND = RatingResult(COUNTERS, total_cost=Usd(7), cost_before=Usd(5), cost_raised=Usd(3), cost_lowered=Usd(1))
CLEAN = RatingResult(Counters(events=4, events_rated=4))


def by_name(found):
    return {finding.name: finding for finding in found}


def with_count(name, count):
    return replace(SOUND, counters=replace(COUNTERS, **{name: count}))


def test_unbilled_events_fail_the_check_of_their_kind():
    found = by_name(checks.of_events({"h": SOUND}, SOUND))
    failed = {name: next(iter(finding.numbers.values())) for name, finding in found.items() if not finding.passed}
    assert failed == {"unpriced_zero": 3, "unattributable_zero": 2, "ambiguous_base_zero": 1}
    assert all(finding.passed for finding in checks.of_events({"h": CLEAN}, CLEAN))


@pytest.mark.parametrize("name", ["events", "events_rated", "unpriced_events", "unattributable_events"])
def test_an_event_without_an_outcome_is_reported_with_its_hour(name):
    wrong = with_count(name, 99)
    found = by_name(checks.of_events({"sound": SOUND, "wrong": wrong}, SOUND + wrong))["anomalies_add_up"]
    assert not found.passed
    assert "wrong" in found.description
    assert "sound" not in found.description


def test_work_without_charge_is_a_warning():
    found = by_name(checks.of_events({"h": with_count("uncharged_events", 5)}, with_count("uncharged_events", 5)))
    assert (found["work_without_charge"].passed, found["work_without_charge"].severity) == (False, "WARN")


def test_correct_hours_pass_the_accounting():
    assert checks.of_hours({"h": SOUND, "i": SOUND}, SOUND + SOUND, asked=3, without=1).passed


@pytest.mark.parametrize(
    "name", ["rollups_written", "rows_before", "rows_written", "rows_deleted", "changes_kept", "rows_inserted"]
)
def test_a_table_that_differs_from_the_computed_rows_fails(name):
    found = checks.of_hours({"h": with_count(name, 99)}, SOUND, asked=1, without=0)
    assert not found.passed
    assert found.description.startswith("h: ")


@pytest.mark.parametrize("name", ["total_cost", "cost_before", "cost_raised", "cost_lowered"])
def test_a_difference_of_one_nano_dollar_fails(name):
    wrong = replace(SOUND, **{name: getattr(SOUND, name) + Usd(1)})
    assert not checks.of_hours({"h": wrong}, wrong, asked=1, without=0).passed


def test_an_hour_without_an_outcome_fails():
    assert not checks.of_hours({"h": SOUND}, SOUND, asked=2, without=0).passed


@pytest.mark.parametrize(("origin", "passed"), [("routine", False), ("explicit", True)])
def test_deletions_fail_a_routine_run_but_not_an_explicit_one(origin, passed):
    deleting = {"quiet": 0, "reconciled": 4}
    hours = {
        hour: replace(SOUND, counters=replace(COUNTERS, reconciled_deletions=rows)) for hour, rows in deleting.items()
    }
    found = checks.of_deletions(hours, decide(origin, deletions=4, anomalies=0), origin)
    assert found.partitions == ["reconciled"]
    assert (found.passed, found.severity, found.numbers["reconciled_deletions"]) == (passed, "ERROR", 4)
    assert "4 billed rows were deleted" in found.description


@pytest.mark.parametrize(("origin", "severity"), [("routine", "ERROR"), ("explicit", "WARN")])
def test_late_hours_never_fail_an_explicit_run(origin, severity):
    found = checks.of_lateness([f"hour-{n}" for n in range(8)], trailing=24, origin=origin)
    assert (found.passed, found.severity, found.numbers["late_hours"]) == (False, severity, 8)
    assert found.description.endswith("hour-4; and 3 more")
    assert checks.of_lateness([], trailing=24, origin=origin).passed
