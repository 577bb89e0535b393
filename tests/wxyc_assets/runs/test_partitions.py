"""Shards and their ranges; UTC hours, the window of a run, and which hours are due or late."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxyc_assets.runs.partitions import (
    FIRST_HOUR,
    HOUR,
    WindowError,
    changed_days,
    closed_keys,
    due_keys,
    floor_hour,
    hour_key,
    hour_of,
    hour_start,
    range_tags,
    shard_numbers,
    shard_ranges,
    trailing_keys,
    window_keys,
    window_text,
)


def test_neighbours_are_one_range():
    assert shard_ranges([3, 1, 2, 7, 9, 10]) == [("1", "3"), ("7", "7"), ("9", "10")]
    assert shard_ranges([]) == []
    assert shard_ranges(range(16)) == [("0", "15")]


@given(st.lists(st.integers(0, 15)))
def test_ranges_cover_exactly_the_shards_and_never_touch(shards):
    ranges = [(int(first), int(last)) for first, last in shard_ranges(shards)]
    covered = [shard for first, last in ranges for shard in range(first, last + 1)]
    assert covered == sorted(set(shards))
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))


def test_range_is_requested_with_dagsters_tags():
    assert range_tags("2", "5") == {
        "dagster/asset_partition_range_start": "2",
        "dagster/asset_partition_range_end": "5",
    }


def test_keys_read_back_as_numbers():
    assert shard_numbers(["0", "15"]) == [0, 15]


NOW = datetime(2026, 6, 8, 10, 37, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    ("trailing", "first"), [(24, "2026-06-07-10:00"), (3, "2026-06-08-07:00"), (1, "2026-06-08-09:00")]
)
def test_without_bounds_the_window_is_the_trailing_closed_hours(trailing, first):
    assert window_keys(None, None, NOW, trailing) == (first, "2026-06-08-09:00") == trailing_keys(NOW, trailing)


@pytest.mark.parametrize("offset_min", [0, -5 * 60, 5 * 60 + 30, 5 * 60 + 45, -3 * 60 - 30, 12 * 60 + 45])
def test_closed_hours_are_utc_hours_whatever_the_clock_is(offset_min):
    """Where clocks are off by a part of an hour, local hours are no UTC hours."""
    zone = timezone(timedelta(minutes=offset_min))
    local = NOW.astimezone(zone)
    assert floor_hour(local) == datetime(2026, 6, 8, 10, tzinfo=UTC)
    assert trailing_keys(local, 3) == ("2026-06-08-07:00", "2026-06-08-09:00")
    assert closed_keys(local, 2) == ["2026-06-08-08:00", "2026-06-08-09:00"]
    assert due_keys(local, 3) == ["2026-06-08-07:00"]
    assert hour_of(floor_hour(local).astimezone(zone).isoformat()) == hour_start("2026-06-08-10:00")


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
def test_invalid_window_is_refused_with_the_reason(since, until, why):
    with pytest.raises(WindowError, match=why.replace("+", r"\+")):
        window_keys(since, until, NOW, 24)


def test_a_window_may_end_with_the_hour_that_has_just_closed():
    assert window_keys("2026-06-08T09:00:00Z", "2026-06-08T10:00:00Z", NOW.replace(minute=0, second=0), 24)


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - bounds are naive
def test_keys_and_instants_are_the_same_hours(instant):
    hour = instant.replace(minute=0, second=0, microsecond=0)
    assert hour_start(hour_key(hour)) == hour == hour_of(hour_key(hour)) == hour_of(hour.isoformat())


def test_keys_are_utc_in_any_time_zone():
    local = datetime.fromisoformat("2026-06-08T15:30:00+05:30")
    assert hour_key(local) == "2026-06-08-10:00"
    assert window_text(local, local + HOUR) == "[2026-06-08T10:00:00Z,2026-06-08T11:00:00Z)"


@pytest.mark.parametrize(
    "text", ["2026-06-08-10:30", "2026-06-31-10:00", "2026-06-08-24:00", "2026-06-08T10:00", "now"]
)
def test_text_that_is_no_hour_is_refused(text):
    with pytest.raises(WindowError, match="--hour"):
        hour_of(text)


def test_an_hour_is_due_once_it_closed_more_than_two_hours_ago():
    closed = datetime(2026, 6, 8, 10, tzinfo=UTC)
    assert due_keys(closed + 2 * HOUR, 24)[-1] == "2026-06-08-08:00"
    assert due_keys(closed + 2 * HOUR + timedelta(seconds=1), 24)[-1] == "2026-06-08-09:00"
    assert len(due_keys(closed, 24)) == 24 - 3


def test_no_hour_before_billing_began_is_due_or_rated():
    began = hour_start("2026-06-08-06:00")
    assert due_keys(NOW, 24, began) == ["2026-06-08-06:00", "2026-06-08-07:00"]
    assert closed_keys(NOW, billing_start=began)[0] == "2026-06-08-06:00"
    assert trailing_keys(NOW, 24, began) == ("2026-06-08-06:00", "2026-06-08-09:00")
    with pytest.raises(WindowError, match="hours before 2026-06-08T06:00:00Z are not rated"):
        window_keys("2026-06-08T05:00:00Z", None, NOW, 24, began)


def test_no_window_exists_before_the_first_hour_has_closed():
    with pytest.raises(WindowError, match="no hour has closed since billing began, at 2026-06-08T10:00:00Z"):
        trailing_keys(NOW, 24, hour_start("2026-06-08-10:00"))


@pytest.mark.parametrize(
    ("days", "warmed", "change"),
    [
        ([], [], (["2026-06-08"], [])),
        (["2026-06-07"], [], (["2026-06-08"], [])),
        (["2026-06-05", "2026-06-06", "2026-06-07"], ["2026-06-05"], (["2026-06-08"], ["2026-06-06"])),
        ([], ["2026-06-02", "2026-06-01"], (["2026-06-01", "2026-06-02", "2026-06-08"], [])),
    ],
    ids=["first day", "yesterday stays", "a missed day is dropped", "warmed days of an older version are added"],
)
def test_the_days_are_today_and_those_that_were_warmed(days, warmed, change):
    assert changed_days(days, warmed, NOW.date()) == change
