"""How a station stands, read from its database: the same predicate as the asset's, the same hours as the check's."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.libraries import add_library, verify
from wxyc_assets import ledger
from wxyc_assets.rated_usage.windows import HOUR, due_keys, key
from wxyc_assets.settings import IdentitySettings, RatingSettings
from wxyc_assets.standing.station import standings


class Station:
    """A station's database, on which a test does things to partitions."""

    def __init__(self, postgres):
        self.postgres = postgres

    def standings(self):
        with self.postgres.connect() as connection:
            return {one.asset: one for one in standings(connection, IdentitySettings(), RatingSettings())}

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


def test_a_station_that_was_never_worked_on_is_neither_late_nor_fresh(there):
    there.library(3)
    found = there.standings()
    assert list(found) == [
        "library_identity", "album_metadata", "flowsheet_enrichment", "rotation_identity", "rotation_cache", "rated_usage",
    ]  # fmt: skip
    for standing in found.values():
        assert set(standing.states.values()) == {"never_built"}
        assert (standing.late, standing.last_good, standing.oldest_row_at) == ({}, None, None)


@pytest.mark.parametrize(
    ("verified_ago", "late"),
    [(timedelta(days=7, minutes=30), False), (timedelta(days=7, minutes=90), True), (timedelta(days=30), True)],
)
def test_a_shard_is_late_an_hour_after_an_identity_of_it_became_stale(there, verified_ago, late):
    there.credits("library_identity", "3")
    there.library(3, verified_ago=verified_ago)
    standing = there.standings()["library_identity"]
    assert standing.states["3"] == ("late" if late else "fresh")
    assert standing.count("never_built") == 15
    if late:
        due = standing.at - verified_ago + timedelta(days=7)
        assert abs(standing.late["3"] - due) < timedelta(seconds=5)
        assert standing.overdue is (verified_ago > timedelta(days=8))


@pytest.mark.parametrize(("added_ago", "late"), [(timedelta(minutes=50), False), (timedelta(minutes=70), True)])
def test_a_library_that_was_never_asked_about_is_due_when_it_came(there, added_ago, late):
    there.credits("library_identity", "3")
    there.library(3, added_ago=added_ago)
    assert ("3" in there.standings()["library_identity"].late) is late


@pytest.mark.parametrize(("rested", "late"), [(timedelta(minutes=50), False), (timedelta(minutes=70), True)])
def test_a_library_that_rested_is_due_after_its_rest(there, rested, late):
    there.credits("library_identity", "3")
    there.library(3, verified_ago=timedelta(days=20))
    with there.postgres.connect() as connection:
        ledger.quarantine(connection, "library_identity", "run", [ledger.Rejected(3, "writer_error", "no", "digest")])
        connection.execute("UPDATE wxyc_assets.quarantine SET wait_until = now() - %s", [rested])
    assert ("3" in there.standings()["library_identity"].late) is late


def test_a_shard_that_was_never_built_is_not_late_whatever_it_holds(there):
    there.library(3, verified_ago=timedelta(days=30))
    assert there.standings()["library_identity"].late == {}


def test_what_is_done_daily_is_late_two_hours_after_a_day(there):
    there.credits("album_metadata", "1", hours_ago=25.9)
    there.credits("album_metadata", "2", hours_ago=26.1)
    there.credits("rotation_identity", "", hours_ago=27)
    found = there.standings()
    assert found["album_metadata"].named("late") == ["2"]
    assert found["rotation_identity"].states == {"": "late"}


def test_of_the_days_of_the_cache_only_the_newest_counts(there):
    there.credits("rotation_cache", "2026-03-01", hours_ago=80)
    assert there.standings()["rotation_cache"].overdue
    there.credits("rotation_cache", "2026-03-04", hours_ago=1)
    assert there.standings()["rotation_cache"].states == {"": "fresh"}


def test_hours_are_late_as_the_check_says_once_the_first_was_ever_rated(there):
    assert there.standings()["rated_usage"].late == {}
    due = due_keys(datetime.now(UTC), 24)
    there.credits("rated_usage", due[0])
    there.rates(due[0], due[3])
    standing = there.standings()["rated_usage"]
    assert set(standing.late) == set(due) - {due[0], due[3]}
    assert (standing.states[due[0]], standing.states[due[1]]) == ("fresh", "late")
    closed = datetime.strptime(due[1], "%Y-%m-%d-%H:%M").replace(tzinfo=UTC) + HOUR
    assert standing.late[due[1]] == closed + timedelta(hours=2)


def test_an_hour_that_was_rated_stays_fresh_and_every_closed_hour_is_counted(there):
    first = key(datetime(2026, 1, 1, tzinfo=UTC))
    there.credits("rated_usage", first, hours_ago=2000)
    standing = there.standings()["rated_usage"]
    hours = (standing.at - datetime(2026, 1, 1, tzinfo=UTC)) // HOUR
    assert (len(standing.states), standing.states[first]) == (hours, "fresh")


def test_the_oldest_row_of_each_asset_is_told(there):
    there.library(3, verified_ago=timedelta(days=9))
    there.library(4, verified_ago=timedelta(days=2))
    there.execute("INSERT INTO album_metadata (album_id, updated_at) VALUES (3, now() - interval '5 days'), (4, now())")
    there.execute(
        "INSERT INTO flowsheet (entry_type, artist_name, album_id, play_order, add_time) VALUES "
        "('track', 'Autechre', 3, 1, now() - interval '4 days'), ('track', 'Autechre', 4, 2, now())"
    )
    found = there.standings()
    days = {
        asset: round((one.at - one.oldest_row_at) / timedelta(days=1))
        for asset, one in found.items()
        if one.oldest_row_at
    }
    assert days == {"library_identity": 9, "album_metadata": 5, "flowsheet_enrichment": 4}


def test_a_station_that_cannot_be_read_is_an_error_and_not_an_empty_one(there):
    there.execute("DROP TABLE wxyc_assets.partition_state")
    with pytest.raises(psycopg.errors.UndefinedTable):
        there.standings()
