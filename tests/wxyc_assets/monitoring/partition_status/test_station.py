"""The status of a station, read from its database: the asset's own predicate decides, and the check's own hours."""

from datetime import UTC, datetime, timedelta, timezone

import psycopg
import pytest

from tests.libraries import add_library, verify
from wxyc_assets.database.sessions import Sessions
from wxyc_assets.monitoring.partition_status.rules import PartitionHistory, asset_status
from wxyc_assets.monitoring.partition_status.station import (
    RESOLVE_WITHIN,
    _late_shards,
    _Station,
    _waiting_since,
    asset_statuses,
)
from wxyc_assets.runs import ledger
from wxyc_assets.runs.partitions import HOUR, due_keys, hour_key
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings, RatingSettings, load


class Station:
    """A station's database, and what a test does to its partitions."""

    def __init__(self, postgres):
        self.postgres = postgres

    def statuses(self):
        with self.postgres.connect() as connection:
            return {
                one.asset: one
                for one in asset_statuses(
                    Sessions(connection, connection), IdentitySettings(), FlowsheetSettings(), RatingSettings()
                )
            }

    def execute(self, statement, parameters=None):
        with self.postgres.connect() as connection:
            return connection.execute(statement, parameters)

    def credits(self, asset, *keys, hours_ago=0.0):
        self.execute(
            "INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run) "
            "SELECT %s, k, now() - %s, 'run' FROM unnest(%s::text[]) k "
            "ON CONFLICT (asset, partition_key) DO UPDATE SET credited_at = EXCLUDED.credited_at",
            [asset, timedelta(hours=hours_ago), list(keys)],
        )

    def rates(self, *hours):
        with self.postgres.connect() as connection:
            for hour in hours:
                ledger.write_tally(
                    connection, asset="rated_usage", partition_key=hour, run_id="run", counters={}, complete=True
                )

    def library(self, library_id, *, added_ago=timedelta(days=100), verified_ago=None, **fields):
        with self.postgres.connect() as connection:
            add_library(connection, library_id, **fields)
            connection.execute("UPDATE library SET add_date = now() - %s WHERE id = %s", [added_ago, library_id])
            if verified_ago is not None:
                verify(connection, library_id, verified_ago)


@pytest.fixture
def there(station):
    return Station(station)


def test_a_new_station_is_neither_late_nor_fresh(there):
    there.library(3)
    found = there.statuses()
    assert list(found) == [
        "library_identity", "album_metadata", "flowsheet_enrichment", "rotation_identity", "rotation_cache", "rated_usage",
    ]  # fmt: skip
    assert found.pop("rated_usage").states == {}, "without an event billing has not begun"
    for status in found.values():
        assert set(status.states.values()) == {"never_built"}
        assert (status.late_since, status.last_good) == ({}, None)


@pytest.mark.parametrize(
    ("verified_ago", "late"),
    [(timedelta(days=7, minutes=30), False), (timedelta(days=7, minutes=90), True), (timedelta(days=30), True)],
)
def test_a_shard_is_late_an_hour_after_an_identity_became_stale(there, verified_ago, late):
    there.credits("library_identity", "3")
    there.library(3, verified_ago=verified_ago)
    status = there.statuses()["library_identity"]
    assert status.states["3"] == ("late" if late else "fresh")
    assert status.count("never_built") == 15
    if late:
        ((verified_at,),) = there.execute("SELECT last_verified_at FROM library_identity").fetchall()
        assert status.late_since["3"] == verified_at + timedelta(days=7)
        assert status.overdue is (verified_ago > timedelta(days=8))


@pytest.mark.parametrize(("added_ago", "late"), [(timedelta(minutes=50), False), (timedelta(minutes=70), True)])
def test_a_library_without_identity_is_due_when_it_was_added(there, added_ago, late):
    there.credits("library_identity", "3")
    there.library(3, added_ago=added_ago)
    assert ("3" in there.statuses()["library_identity"].late_since) is late


@pytest.mark.parametrize(("rested", "late"), [(timedelta(minutes=50), False), (timedelta(minutes=70), True)])
def test_a_quarantined_library_is_due_after_its_wait(there, rested, late):
    there.credits("library_identity", "3")
    there.library(3, verified_ago=timedelta(days=20))
    with there.postgres.connect() as connection:
        ledger.quarantine(connection, "library_identity", "run", [ledger.Rejected(3, "writer_error", "no", "digest")])
        connection.execute("UPDATE wxyc_assets.quarantine SET wait_until = now() - %s", [rested])
    assert ("3" in there.statuses()["library_identity"].late_since) is late


@pytest.mark.parametrize(
    ("due_for", "late"), [(RESOLVE_WITHIN, False), (RESOLVE_WITHIN + timedelta(microseconds=1), True)]
)
def test_a_shard_that_is_due_for_exactly_an_hour_is_not_late(due_for, late):
    at = datetime(2026, 6, 8, 10, tzinfo=UTC)
    histories = {"3": PartitionHistory(credited_at=at - timedelta(days=9))}
    assert bool(_late_shards(_Station(at, {"3": at - due_for}, [], []), histories)) is late


@pytest.mark.parametrize(("before_midnight", "waits"), [(timedelta(0), False), (timedelta(microseconds=1), True)])
def test_a_cache_warmed_at_midnight_is_that_of_the_day(before_midnight, waits):
    """Midnight is that of UTC, wherever the clock of the database is."""
    midnight = datetime(2026, 6, 8, tzinfo=UTC)
    at = midnight.astimezone(timezone(timedelta(hours=5, minutes=45))) + timedelta(hours=23)
    history = PartitionHistory(credited_at=midnight - before_midnight)
    status = asset_status("rotation_cache", [""], {"": history}, {}, at)
    assert _waiting_since(status, _Station(at, {}, [], [])) == (midnight if waits else None)


def test_a_shard_that_was_never_built_is_not_late(there):
    there.library(3, verified_ago=timedelta(days=30))
    assert there.statuses()["library_identity"].late_since == {}


def test_a_daily_asset_is_late_two_hours_after_a_day(there):
    there.credits("album_metadata", "1", hours_ago=25.9)
    there.credits("album_metadata", "2", hours_ago=26.1)
    there.credits("rotation_identity", "", hours_ago=27)
    found = there.statuses()
    assert found["album_metadata"].partitions_in("late") == ["2"]
    assert found["rotation_identity"].states == {"": "late"}


def test_only_the_newest_day_of_the_cache_counts(there):
    there.credits("rotation_cache", "2026-03-01", hours_ago=80)
    assert there.statuses()["rotation_cache"].overdue
    there.credits("rotation_cache", "2026-03-04", hours_ago=1)
    assert there.statuses()["rotation_cache"].states == {"": "fresh"}


def test_unrated_hours_are_late_once_an_hour_was_ever_rated(there):
    bills(there, datetime(2026, 1, 2, tzinfo=UTC))
    assert there.statuses()["rated_usage"].late_since == {}
    _, credited, late, rated, *_ = due_keys(datetime.now(UTC), 24)
    there.credits("rated_usage", credited)
    there.rates(credited, rated)
    status = there.statuses()["rated_usage"]
    assert set(status.late_since) == set(due_keys(status.at, 24)) - {credited, rated}
    assert (status.states[credited], status.states[late]) == ("fresh", "late")
    closed = datetime.strptime(late, "%Y-%m-%d-%H:%M").replace(tzinfo=UTC) + HOUR
    assert status.late_since[late] == closed + timedelta(hours=2)


def bills(there, instant):
    there.execute(
        "INSERT INTO billing_event (request_id, auth_id, resource_id, model, prompt_tokens, cached_tokens, completion_tokens, "
        "event_ts) VALUES ('r', 'a', 'd', 'm', 1, 0, 0, %s)",
        [instant],
    )


def test_rated_hours_stay_fresh_since_the_first_event(there):
    first = datetime(2026, 1, 2, 3, tzinfo=UTC)
    bills(there, first + HOUR / 2)
    there.credits("rated_usage", hour_key(first), hours_ago=2000)
    status = there.statuses()["rated_usage"]
    assert (len(status.states), status.states[hour_key(first)]) == ((status.at - first) // HOUR, "fresh")


def test_an_hour_before_the_first_event_counts_if_a_run_rated_it(there):
    """It does not make the hours in between count."""
    bills(there, datetime.now(UTC) - 2 * HOUR)
    there.credits("rated_usage", "2026-01-01-00:00")
    states = there.statuses()["rated_usage"].states
    assert (len(states), states["2026-01-01-00:00"]) == (3, "fresh")


def test_the_setting_says_when_billing_began(there):
    bills(there, datetime(2026, 1, 2, tzinfo=UTC))
    with there.postgres.connect() as connection:
        began = load(RatingSettings, {"BILLING_START": (datetime.now(UTC) - HOUR).strftime("%Y-%m-%dT%H:00:00Z")})
        (status,) = [
            one
            for one in asset_statuses(Sessions(connection, connection), IdentitySettings(), FlowsheetSettings(), began)
            if one.asset == "rated_usage"
        ]
    assert len(status.states) == 1


def waiting_days(there):
    found = there.statuses()
    return {
        asset: (one.at - one.waiting_since) // timedelta(days=1)
        for asset, one in found.items()
        if one.waiting_since and asset != "rotation_cache"
    }


def plays(there, **days_ago):
    for order, (name, days) in enumerate(days_ago.items()):
        there.execute(
            "INSERT INTO flowsheet (entry_type, artist_name, album_id, play_order, add_time) "
            "VALUES ('track', 'Autechre', %s, %s, now() - %s)",
            [int(name.removeprefix("album_")), order, timedelta(days=days)],
        )


def test_the_status_says_since_when_the_oldest_input_waits(there):
    there.library(3, verified_ago=timedelta(days=9))
    there.library(4, verified_ago=timedelta(days=2))
    there.execute("INSERT INTO album_metadata (album_id, discogs_url) VALUES (4, 'https://discogs.example.org/4')")
    plays(there, album_4=4, album_3=6)
    there.execute(
        "INSERT INTO rotation (album_id, rotation_bin, discogs_release_id, add_date) VALUES (3, 'H', 77, current_date - 5)"
    )
    bills(there, datetime.now(UTC) - timedelta(days=3, hours=2))
    assert waiting_days(there) == {
        "library_identity": 2,  # due for two days, since it became stale
        "album_metadata": 6,
        "flowsheet_enrichment": 4,
        "rotation_identity": 5,
        "rated_usage": 3,
    }


def test_plays_of_the_grace_wait_for_the_worker_alone(there):
    there.library(3, verified_ago=timedelta(days=2))
    there.library(4, verified_ago=timedelta(days=2))
    there.execute("INSERT INTO album_metadata (album_id, discogs_url) VALUES (4, 'https://discogs.example.org/4')")
    plays(there, album_4=0, album_3=0)
    assert waiting_days(there) == {}
    there.execute("UPDATE flowsheet SET add_time = now() - interval '16 minutes'")
    assert waiting_days(there) == {"album_metadata": 0, "flowsheet_enrichment": 0}


def test_nothing_waits_that_no_run_would_take(there):
    """An album that LML does not know rests; a fresh identity is not due; a rated hour is done."""
    there.library(3, verified_ago=timedelta(days=2))
    plays(there, album_3=6)
    there.execute(
        "INSERT INTO wxyc_assets.album_no_match (album_id, artist_name, album_title, asked_at, run_id) "
        "SELECT album_id, artist_name, album_title, now(), 'run' FROM wxyc_assets.album_question(ARRAY[3], now(), '30 days')"
    )
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    bills(there, hour)
    there.credits("rated_usage", hour_key(hour), hour_key(hour + HOUR))
    assert waiting_days(there) == {}


def test_the_cache_of_today_waits_until_it_is_warmed(there):
    status = there.statuses()["rotation_cache"]
    assert status.waiting_since == status.at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    there.credits("rotation_cache", status.at.date().isoformat())
    assert there.statuses()["rotation_cache"].waiting_since is None


def test_a_station_that_cannot_be_read_is_an_error(there):
    there.execute("DROP TABLE wxyc_assets.partition_state")
    with pytest.raises(psycopg.errors.UndefinedTable):
        there.statuses()
