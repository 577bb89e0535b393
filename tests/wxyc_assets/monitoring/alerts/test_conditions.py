"""Late partitions and stale shards as alerts: one for each asset, with all of its partitions, closed when none is late."""

from datetime import UTC, datetime, timedelta

import pytest

from resources.redaction import Redactor
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.monitoring.alerts import outbox
from wxyc_assets.monitoring.alerts.conditions import condition_alerts
from wxyc_assets.monitoring.alerts.rules import Alert
from wxyc_assets.monitoring.partition_status.rules import AssetStatus

NOW = datetime(2026, 3, 4, 5, tzinfo=UTC)


def status(asset, **late_hours):
    late = {key.removeprefix("_"): NOW - timedelta(hours=hours) for key, hours in late_hours.items()}
    return AssetStatus(asset, NOW, dict.fromkeys(late, "late"), late)


def alert(*statuses):
    (found,) = condition_alerts(statuses)
    return found


def test_an_asset_that_is_not_late_has_no_alert():
    assert list(condition_alerts([status("album_metadata"), status("rated_usage")])) == []


def test_stale_shards_are_one_alert():
    """It says since when, and which sensor to look at."""
    found = alert(status("library_identity", _3=2, _11=1))
    assert (found.fingerprint, found.kind, found.partitions) == ("library_identity/stale_shards", "stale", {"3", "11"})
    assert "shards 3, 11 hold libraries" in found.message
    assert "due since 2026-03-04 03:00 UTC" in found.message
    assert "stale_identities" in found.message


@pytest.mark.parametrize(
    ("asset", "hours", "level"),
    [("library_identity", 23, "warning"), ("library_identity", 25, "error"), ("album_metadata", 23, "warning"),
     ("album_metadata", 25, "error"), ("rated_usage", 0.9, "warning"), ("rated_usage", 1.1, "error")],
)  # fmt: skip
def test_a_late_asset_is_a_warning_and_an_overdue_one_an_error(asset, hours, level):
    assert alert(status(asset, _1=hours)).level == level


def test_late_hours_share_the_fingerprint_of_their_check():
    found = alert(status("rated_usage", **{f"_2026-03-04-0{hour}:00": 1 for hour in range(7)}))
    assert (found.fingerprint, found.kind) == ("rated_usage/trailing_hours_rated", "late")
    assert "7 hours closed more than two hours ago and are not rated" in found.message
    assert found.message.endswith("2026-03-04-02:00 and 4 more")


def test_a_late_asset_without_partitions_is_named_alone():
    assert (
        alert(status("rotation_cache", _=3)).message
        == "rotation_cache: it should have been done again by 2026-03-04 02:00 UTC"
    )


# In the outbox


class OutboxRows:
    def __init__(self, station):
        self.station = station

    def sync(self, *alerts, at=NOW):
        with self.station.connect() as connection:
            outbox.sync_conditions(connection, alerts, assets=list(BY_NAME), at=at, redact=Redactor().plain)

    def rows(self, columns):
        with self.station.connect() as connection:
            return connection.execute(f"SELECT {columns} FROM wxyc_assets.alert ORDER BY alert_id").fetchall()


@pytest.fixture
def outbox_rows(station):
    return OutboxRows(station)


def test_each_newly_late_partition_is_one_more_occurrence(outbox_rows):
    outbox_rows.sync(alert(status("album_metadata", _1=1, _2=1)))
    outbox_rows.sync(alert(status("album_metadata", _1=2, _2=2)))
    assert outbox_rows.rows("partitions, occurrences") == [(["1", "2"], 2)]
    outbox_rows.sync(alert(status("album_metadata", _2=3, _3=1)))
    assert outbox_rows.rows("partitions, occurrences") == [(["2", "3"], 3)]


def test_a_condition_that_ends_and_returns_is_a_new_alert(outbox_rows):
    outbox_rows.sync(alert(status("album_metadata", _1=1)), alert(status("rated_usage", _h=1)))
    outbox_rows.sync(alert(status("rated_usage", _h=1)))
    outbox_rows.sync(alert(status("album_metadata", _1=1)), alert(status("rated_usage", _h=1)))
    assert outbox_rows.rows("fingerprint, closed_at IS NULL") == [
        ("album_metadata/freshness", False), ("rated_usage/trailing_hours_rated", True), ("album_metadata/freshness", True),
    ]  # fmt: skip


def test_conditions_close_no_alert_of_another_kind(outbox_rows):
    failed = Alert("album_metadata", "check", "a_check", "error", "no", frozenset({"1"}))
    with outbox_rows.station.connect() as connection:
        outbox.raise_alert(connection, failed, outbox.RunRef("run", NOW, 1), redact=Redactor().plain)
    outbox_rows.sync()
    assert outbox_rows.rows("fingerprint, closed_at") == [("album_metadata/a_check", None)]


def test_an_open_condition_keeps_its_highest_severity(outbox_rows):
    for hours in (1, 30, 1):
        outbox_rows.sync(alert(status("album_metadata", _1=hours)))
    assert outbox_rows.rows("severity") == [("error",)]
