"""How old what is removed must be, and what is printed of it."""

from datetime import timedelta

import pytest

from wxyc_assets.monitoring.alerts.delivery import CLOSED_WITHIN
from wxyc_assets.monitoring.lml_outage.store import LOOK_BACK
from wxyc_assets.retention.rules import KINDS, MIN_AGE_DAYS, AgeError, Removed, parse_age, removed_lines, totals
from wxyc_assets.settings import RetentionSettings, SettingsError, load


@pytest.mark.parametrize(("text", "days"), [("90d", 90), ("14d", 14), (" 36500d", 36500)])
def test_an_age_is_a_number_of_days(text, days):
    assert parse_age(text) == timedelta(days=days)


@pytest.mark.parametrize("text", ["", "90", "d", "-90d", "1.5d", "90 d", "3m", "\u0669\u0660d", "1000000d"])
def test_other_texts_are_no_age(text):
    with pytest.raises(AgeError, match="is no age: give a number of days"):
        parse_age(text)


@pytest.mark.parametrize("text", ["0d", "13d"])
def test_an_age_that_checks_and_alerts_still_read_is_refused(text):
    with pytest.raises(AgeError, match=f"{text} is too short, the shortest is 14d: checks and alerts read"):
        parse_age(text)


def test_the_shortest_age_is_twice_what_alerts_look_back():
    assert timedelta(days=MIN_AGE_DAYS) == 2 * max(CLOSED_WITHIN, LOOK_BACK)


def test_the_setting_has_the_same_bound():
    assert load(RetentionSettings, {"PRUNE_AFTER_DAYS": "14"}).prune_after == timedelta(days=MIN_AGE_DAYS)
    with pytest.raises(SettingsError, match="PRUNE_AFTER_DAYS"):
        load(RetentionSettings, {"PRUNE_AFTER_DAYS": "13"})


def test_kinds_are_added_up_and_printed_in_order():
    sums = totals([Removed("tallies", 2, 500), Removed("runs", 1, 1_000_000), Removed("tallies", 3, 500)])
    assert [one.kind for one in sums] == list(KINDS)
    assert [line.split() for line in removed_lines(sums)] == [
        ["runs", "of", "Dagster", "1", "1.000", "MB"],
        ["tallies", "of", "runs", "5", "0.001", "MB"],
        ["in", "all", "6", "1.001", "MB"],
    ]
