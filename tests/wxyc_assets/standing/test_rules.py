"""How a partition stands, from when it was last done and last missed."""

from datetime import UTC, datetime, timedelta

import pytest

from wxyc_assets.standing.rules import Past, aged, latest, stand

NOW = datetime(2026, 3, 4, 5, tzinfo=UTC)


def ago(hours):
    return NOW - timedelta(hours=hours)


def done(hours, missed=None):
    return Past(ago(hours), f"run-{hours}", ago(missed) if missed is not None else None)


@pytest.mark.parametrize(
    ("past", "state"),
    [(Past(), "never_built"), (done(1), "fresh"), (done(26), "fresh"), (done(26.1), "late"), (done(60), "late"),
     (done(2, missed=1), "failed"), (done(1, missed=2), "fresh"), (done(60, missed=1), "failed"),
     (Past(missed_at=ago(1)), "failed")],
)  # fmt: skip
def test_a_partition_stands_in_one_way(past, state):
    late = aged("album_metadata", {"3": past}, NOW)
    assert stand("album_metadata", ["3"], {"3": past}, late, NOW).states == {"3": state}


def test_every_partition_is_counted_once_also_those_that_nobody_heard_of():
    pasts = {"0": done(1), "1": done(30), "2": done(3, missed=1)}
    standing = stand("album_metadata", ["0", "1", "2", "3"], pasts, aged("album_metadata", pasts, NOW), NOW)
    assert [standing.count(state) for state in ("fresh", "late", "failed", "never_built")] == [1, 1, 1, 1]
    assert standing.named("failed") == ["2"]


def test_the_last_good_run_is_the_one_that_did_a_partition_last():
    pasts = {"0": done(3), "1": done(2, missed=1), "2": Past(missed_at=ago(0))}
    assert stand("album_metadata", ["0", "1", "2"], pasts, {}, NOW).last_good == ("run-2", ago(2))
    assert stand("album_metadata", ["2"], {"2": pasts["2"]}, {}, NOW).last_good is None


@pytest.mark.parametrize(("hours", "overdue"), [(26.1, False), (49.9, False), (50.1, True)])
def test_what_is_late_is_overdue_when_the_assets_patience_is_at_an_end(hours, overdue):
    pasts = {"0": done(1), "1": done(hours)}
    assert stand("album_metadata", ["0", "1"], pasts, aged("album_metadata", pasts, NOW), NOW).overdue is overdue


def test_of_partitions_of_which_only_the_newest_counts_the_latest_of_each_counts():
    past = latest([done(30), done(2), Past(missed_at=ago(26)), done(50, missed=40)])
    assert past == Past(ago(2), "run-2", ago(26))
    assert latest([]) == Past()
