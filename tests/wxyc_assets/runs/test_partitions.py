from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.rated_usage.windows import (
    FIRST_HOUR,
    HOUR,
    WindowError,
    due_keys,
    hour_of,
    key,
    late_keys,
    start_of,
    trailing_keys,
    window_keys,
    written,
)

NOW = datetime(2026, 6, 8, 10, 37, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("trailing", "first"), [(24, "2026-06-07-10:00"), (3, "2026-06-08-07:00"), (1, "2026-06-08-09:00")]
)
def test_without_bounds_the_window_is_the_trailing_closed_hours(trailing, first):
    assert window_keys(None, None, NOW, trailing) == (first, "2026-06-08-09:00") == trailing_keys(NOW, trailing)


def test_the_trailing_hours_begin_with_2026():
    assert trailing_keys(FIRST_HOUR + 2 * HOUR, 24) == ("2026-01-01-00:00", "2026-01-01-01:00")


@pytest.mark.parametrize(
    ("since", "until", "keys"),
    [
        ("2026-06-01T00:00:00Z", "2026-06-01T02:00:00Z", ("2026-06-01-00:00", "2026-06-01-01:00")),
        ("2026-06-08T08:00:00Z", None, ("2026-06-08-08:00", "2026-06-08-09:00")),
        (None, "2026-06-08T09:00:00Z", ("2026-06-07-10:00", "2026-06-08-08:00")),
        ("2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z", ("2026-01-01-00:00", "2026-01-01-00:00")),
        ("2026-06-08T10:30+05:30", "2026-06-08t08:00:00.000z", ("2026-06-08-05:00", "2026-06-08-07:00")),
        ("2026-06-08T09:00Z", "2026-06-08T10:00Z", ("2026-06-08-09:00", "2026-06-08-09:00")),
    ],
)
def test_each_bound_replaces_one_end(since, until, keys):
    assert window_keys(since, until, NOW, 24) == keys


@pytest.mark.parametrize(
    ("since", "until", "why"),
    [
        ("2026-06-08T09:00:00Z", "2026-06-08T08:00:00Z", "ends before it begins"),
        ("2026-06-08T08:00:00Z", "2026-06-08T08:00:00Z", "or is empty"),
        (None, "2026-06-01T00:00:00Z", "ends before it begins"),
        ("2026-06-08T10:00:00Z", None, "or is empty"),
        ("yesterday", None, "--since yesterday: is not an instant"),
        ("", None, "is not an instant"),
        ("2026-06-08", None, "is not an instant"),
        ("2026-06-08T08:00:00", None, "is not an instant with its time zone"),
        ("2026-W23-1T08:00:00Z", None, "is not an instant"),
        ("2026-06-31T08:00:00Z", None, "is not an instant"),
        ("2026-06-08T24:00:00Z", None, "is not an instant"),
        ("٢026-06-08T08:00:00Z", None, "is not an instant"),
        ("2026-06-08T08:00:00Z\n", None, "is not an instant"),
        ("0001-01-01T00:00:00+23:00", None, "is not an instant"),
        ("2026-06-08T08:30:00Z", None, "--since 2026-06-08T08:30:00Z: is not on a whole UTC hour"),
        (None, "2026-06-08T08:00:01Z", "--until 2026-06-08T08:00:01Z: is not on a whole UTC hour"),
        (None, "2026-06-08T08:00:00.001Z", "is not on a whole UTC hour"),
        ("2026-06-08T08:00:00+05:30", None, "is not on a whole UTC hour"),
        (None, "2026-06-08T11:00:00Z", "lies ahead; the last closed hour ended at 2026-06-08T10:00:00Z"),
        ("2026-06-09T00:00:00Z", "2026-06-09T01:00:00Z", "lies ahead"),
        ("2026-06-09T00:00:00Z", None, "--since 2026-06-09T00:00:00Z: lies ahead; the last closed hour ended at"),
        ("2025-12-31T23:00:00Z", None, "hours before 2026-01-01T00:00:00Z are not rated"),
    ],
)
def test_a_window_that_cannot_be_rated_is_refused_with_the_reason(since, until, why):
    with pytest.raises(WindowError, match=why.replace("+", r"\+")):
        window_keys(since, until, NOW, 24)


def test_a_window_may_end_with_the_hour_that_has_just_closed():
    assert window_keys("2026-06-08T09:00:00Z", "2026-06-08T10:00:00Z", NOW.replace(minute=0, second=0), 24)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds are naive
def test_keys_and_instants_are_the_same_hours(instant):
    hour = instant.replace(minute=0, second=0, microsecond=0)
    assert start_of(key(hour)) == hour == hour_of(key(hour)) == hour_of(hour.isoformat())


def test_keys_are_utc_in_any_time_zone():
    local = datetime.fromisoformat("2026-06-08T15:30:00+05:30")
    assert key(local) == "2026-06-08-10:00"
    assert written(local, local + HOUR) == "[2026-06-08T10:00:00Z,2026-06-08T11:00:00Z)"


@pytest.mark.parametrize(
    "text", ["2026-06-08-10:30", "2026-06-31-10:00", "2026-06-08-24:00", "2026-06-08T10:00", "now"]
)
def test_what_is_no_hour_is_refused(text):
    with pytest.raises(WindowError, match="--hour"):
        hour_of(text)


def test_an_hour_is_due_once_it_closed_more_than_two_hours_ago():
    closed = datetime(2026, 6, 8, 10, tzinfo=UTC)
    assert due_keys(closed + 2 * HOUR, 24)[-1] == "2026-06-08-08:00"
    assert due_keys(closed + 2 * HOUR + timedelta(seconds=1), 24)[-1] == "2026-06-08-09:00"
    assert len(due_keys(closed, 24)) == 24 - 3


def test_late_are_the_due_hours_of_the_trailing_ones_that_are_not_rated():
    rated = {"2026-06-08-05:00", "2026-06-08-07:00"}
    assert late_keys(NOW, 5, rated) == ["2026-06-08-06:00"]
    assert late_keys(NOW, 24, set(due_keys(NOW, 24))) == []
    assert late_keys(FIRST_HOUR + HOUR, 24, set()) == []
