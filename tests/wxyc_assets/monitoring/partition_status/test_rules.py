"""The status of a partition, from when it was last credited and last missed."""

from datetime import UTC, datetime, timedelta

import pytest

from wxyc_assets.monitoring.partition_status.rules import PartitionHistory, asset_status, late_by_age, newest

NOW = datetime(2026, 3, 4, 5, tzinfo=UTC)


def ago(hours):
    return NOW - timedelta(hours=hours)


def done(hours, missed=None):
    return PartitionHistory(ago(hours), f"run-{hours}", ago(missed) if missed is not None else None)


@pytest.mark.parametrize(
    ("history", "state"),
    [(PartitionHistory(), "never_built"), (done(1), "fresh"), (done(26), "fresh"), (done(26.1), "late"), (done(60), "late"),
     (done(2, missed=1), "failed"), (done(1, missed=2), "fresh"), (done(60, missed=1), "failed"),
     (PartitionHistory(missed_at=ago(1)), "failed")],
)  # fmt: skip
def test_a_partition_is_in_one_state(history, state):
    late = late_by_age("album_metadata", {"3": history}, NOW)
    assert asset_status("album_metadata", ["3"], {"3": history}, late, NOW).states == {"3": state}


def test_every_partition_counts_once_even_without_a_run():
    histories = {"0": done(1), "1": done(30), "2": done(3, missed=1)}
    status = asset_status(
        "album_metadata", ["0", "1", "2", "3"], histories, late_by_age("album_metadata", histories, NOW), NOW
    )
    assert [status.count(state) for state in ("fresh", "late", "failed", "never_built")] == [1, 1, 1, 1]
    assert status.partitions_in("failed") == ["2"]


def test_the_asset_was_credited_when_its_last_partition_was():
    histories = {"0": done(3), "1": done(2, missed=1), "2": PartitionHistory(missed_at=ago(0))}
    assert asset_status("album_metadata", ["0", "1", "2"], histories, {}, NOW).credited_at == ago(2)
    assert asset_status("album_metadata", ["2"], {"2": histories["2"]}, {}, NOW).credited_at is None


@pytest.mark.parametrize(("hours", "overdue"), [(26.1, False), (49.9, False), (50, False), (50.1, True)])
def test_a_late_partition_is_overdue_after_the_tolerance(hours, overdue):
    histories = {"0": done(1), "1": done(hours)}
    assert (
        asset_status(
            "album_metadata", ["0", "1"], histories, late_by_age("album_metadata", histories, NOW), NOW
        ).overdue
        is overdue
    )


def test_newest_merges_the_last_credit_and_the_last_miss():
    history = newest([done(30), done(2), PartitionHistory(missed_at=ago(26)), done(50, missed=40)])
    assert history == PartitionHistory(ago(2), "run-2", ago(26))
    assert newest([]) == PartitionHistory()
