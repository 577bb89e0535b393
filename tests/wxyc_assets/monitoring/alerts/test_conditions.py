"""Late windows and stale shards as alerts: one for each asset, with all of its partitions, closed when none is left."""

from datetime import UTC, datetime, timedelta

import pytest

from resources.redaction import Redactor
from wxyc_assets.alerts import outbox
from wxyc_assets.alerts.rules import Alert
from wxyc_assets.alerts.watch import conditions
from wxyc_assets.standing.rules import Standing

NOW = datetime(2026, 3, 4, 5, tzinfo=UTC)


def standing(asset, **late_for_hours):
    late = {key.removeprefix("_"): NOW - timedelta(hours=hours) for key, hours in late_for_hours.items()}
    return Standing(asset, NOW, dict.fromkeys(late, "late"), late)


def alert(*standings):
    (found,) = conditions(standings)
    return found


def test_what_is_not_late_is_no_alert():
    assert list(conditions([standing("album_metadata"), standing("rated_usage")])) == []


def test_stale_shards_are_one_alert_that_says_since_when_and_what_to_look_at():
    found = alert(standing("library_identity", _3=2, _11=1))
    assert (found.fingerprint, found.kind, found.partitions) == ("library_identity/stale_shards", "stale", {"3", "11"})
    assert "shards 3, 11 hold libraries" in found.message
    assert "due since 2026-03-04 03:00 UTC" in found.message
    assert "stale_identities" in found.message


@pytest.mark.parametrize(
    ("asset", "hours", "level"),
    [("library_identity", 23, "warning"), ("library_identity", 25, "error"), ("album_metadata", 23, "warning"),
     ("album_metadata", 25, "error"), ("rated_usage", 0.9, "warning"), ("rated_usage", 1.1, "error")],
)  # fmt: skip
def test_it_warns_first_and_is_an_error_when_the_policy_says_so(asset, hours, level):
    assert alert(standing(asset, _1=hours)).level == level


def test_late_hours_have_the_fingerprint_of_the_check_that_finds_them_too():
    found = alert(standing("rated_usage", **{f"_2026-03-04-0{hour}:00": 1 for hour in range(7)}))
    assert (found.fingerprint, found.kind) == ("rated_usage/trailing_hours_rated", "late")
    assert "7 hours closed more than two hours ago and are not rated" in found.message
    assert found.message.endswith("2026-03-04-04:00 and 2 more")


def test_an_asset_without_partitions_is_named_by_itself():
    assert (
        alert(standing("rotation_cache", _=3)).message
        == "rotation_cache: it should have been done again by 2026-03-04 02:00 UTC"
    )


# In the outbox


class Outbox:
    def __init__(self, station):
        self.station = station

    def holds(self, *alerts, at=NOW):
        with self.station.connect() as connection:
            outbox.hold(connection, alerts, at=at, redact=Redactor().plain)

    def rows(self, columns):
        with self.station.connect() as connection:
            return connection.execute(f"SELECT {columns} FROM wxyc_assets.alert ORDER BY alert_id").fetchall()  # type: ignore[arg-type]


@pytest.fixture
def there(station):
    return Outbox(station)


def test_each_partition_that_comes_to_a_condition_is_one_more_occurrence(there):
    there.holds(alert(standing("album_metadata", _1=1, _2=1)))
    there.holds(alert(standing("album_metadata", _1=2, _2=2)))
    assert there.rows("partitions, occurrences") == [(["1", "2"], 2)]
    there.holds(alert(standing("album_metadata", _2=3, _3=1)))
    assert there.rows("partitions, occurrences") == [(["2", "3"], 3)]


def test_a_condition_that_holds_no_more_is_closed_and_opened_anew_when_it_comes_again(there):
    there.holds(alert(standing("album_metadata", _1=1)), alert(standing("rated_usage", _h=1)))
    there.holds(alert(standing("rated_usage", _h=1)))
    there.holds(alert(standing("album_metadata", _1=1)), alert(standing("rated_usage", _h=1)))
    assert there.rows("fingerprint, closed_at IS NULL") == [
        ("album_metadata/freshness", False), ("rated_usage/trailing_hours_rated", True), ("album_metadata/freshness", True),
    ]  # fmt: skip


def test_the_watch_closes_nothing_that_is_not_its_own(there):
    failed = Alert("album_metadata", "check", "a_check", "error", "no", frozenset({"1"}))
    with there.station.connect() as connection:
        outbox.raise_alert(connection, failed, run_id="run", at=NOW, redact=Redactor().plain)
    there.holds()
    assert there.rows("fingerprint, closed_at") == [("album_metadata/a_check", None)]


def test_it_gets_worse_and_stays_so_while_it_is_open(there):
    for hours in (1, 30, 1):
        there.holds(alert(standing("album_metadata", _1=hours)))
    assert there.rows("severity") == [("error",)]
