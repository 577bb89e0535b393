from dataclasses import replace

import pytest

from wxyc_assets.rated_usage import findings
from wxyc_assets.rated_usage.counters import Counters, Rated
from wxyc_assets.rated_usage.money import Usd
from wxyc_assets.rated_usage.ruling import rule

COUNTERS = Counters(
    events=10, events_rated=4, unpriced_events=3, unattributable_events=2, ambiguous_base_events=1,
    rollups_written=6, rows_inserted=1, rows_changed=2, rows_unchanged=3, reconciled_deletions=4,
    rows_before=9, rows_written=3, rows_deleted=4, changes_kept=7,
)  # fmt: skip
SOUND = Rated(COUNTERS, total_cost=Usd(7), cost_before=Usd(5), cost_raised=Usd(3), cost_lowered=Usd(1))
CLEAN = Rated(Counters(events=4, events_rated=4))


def by_name(found):
    return {finding.name: finding for finding in found}


def with_count(name, count):
    return replace(SOUND, counters=replace(COUNTERS, **{name: count}))


def test_events_that_could_not_be_billed_fail_the_check_of_their_kind():
    found = by_name(findings.of_events({"h": SOUND}, SOUND))
    failed = {name: next(iter(finding.numbers.values())) for name, finding in found.items() if not finding.passed}
    assert failed == {"unpriced_zero": 3, "unattributable_zero": 2, "ambiguous_base_zero": 1}
    assert all(finding.passed for finding in findings.of_events({"h": CLEAN}, CLEAN))


@pytest.mark.parametrize("name", ["events", "events_rated", "unpriced_events", "unattributable_events"])
def test_an_event_without_an_outcome_is_noticed_in_its_hour(name):
    wrong = with_count(name, 99)
    found = by_name(findings.of_events({"sound": SOUND, "wrong": wrong}, SOUND + wrong))["anomalies_add_up"]
    assert not found.passed
    assert "wrong" in found.description
    assert "sound" not in found.description


def test_work_without_charge_only_tells():
    found = by_name(findings.of_events({"h": with_count("uncharged_events", 5)}, with_count("uncharged_events", 5)))
    assert (found["work_without_charge"].passed, found["work_without_charge"].severity) == (False, "WARN")


def test_sound_hours_account_for_themselves():
    assert findings.of_hours({"h": SOUND, "i": SOUND}, SOUND + SOUND, asked=3, without=1).passed


@pytest.mark.parametrize(
    "name", ["rollups_written", "rows_before", "rows_written", "rows_deleted", "changes_kept", "rows_inserted"]
)
def test_a_table_that_did_something_else_than_was_decided_is_noticed(name):
    found = findings.of_hours({"h": with_count(name, 99)}, SOUND, asked=1, without=0)
    assert not found.passed
    assert found.description.startswith("h: ")


@pytest.mark.parametrize("name", ["total_cost", "cost_before", "cost_raised", "cost_lowered"])
def test_a_nano_dollar_that_nobody_moved_is_noticed(name):
    wrong = replace(SOUND, **{name: getattr(SOUND, name) + Usd(1)})
    assert not findings.of_hours({"h": wrong}, wrong, asked=1, without=0).passed


def test_an_hour_without_an_outcome_is_noticed():
    assert not findings.of_hours({"h": SOUND}, SOUND, asked=2, without=0).passed


@pytest.mark.parametrize(("origin", "passed"), [("routine", False), ("explicit", True)])
def test_deletions_fail_a_routine_run_and_pass_in_an_explicit_one(origin, passed):
    deleting = {"quiet": 0, "reconciled": 4}
    hours = {
        hour: replace(SOUND, counters=replace(COUNTERS, reconciled_deletions=rows)) for hour, rows in deleting.items()
    }
    found = findings.of_deletions(hours, rule(origin, deletions=4, anomalies=0), origin)
    assert found.partitions == ["reconciled"]
    assert (found.passed, found.severity, found.numbers["reconciled_deletions"]) == (passed, "ERROR", 4)
    assert "4 billed rows were deleted" in found.description


@pytest.mark.parametrize(("origin", "severity"), [("routine", "ERROR"), ("explicit", "WARN")])
def test_late_hours_never_fail_an_explicit_run(origin, severity):
    found = findings.of_lateness([f"hour-{n}" for n in range(8)], trailing=24, origin=origin)
    assert (found.passed, found.severity, found.numbers["late_hours"]) == (False, severity, 8)
    assert found.description.endswith("hour-4; and 3 more")
    assert findings.of_lateness([], trailing=24, origin=origin).passed
