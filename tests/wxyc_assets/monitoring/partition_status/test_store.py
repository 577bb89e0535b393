"""What the partition status reads from the database."""

from datetime import UTC, datetime

import pytest

from wxyc_assets.assets.registry import ASSETS
from wxyc_assets.monitoring.partition_status import store
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings


@pytest.fixture
def connection(station):
    with station.connect() as session:
        yield session


def test_the_waiting_inputs_are_those_of_assets(connection):
    """The registry says what waits; wxyc status prints both."""
    assert set(store.waiting_since(connection, IdentitySettings(), FlowsheetSettings()).since) <= {
        info.name for info in ASSETS if info.input_noun
    }


def test_the_clock_is_that_of_the_database(connection):
    before, at, after = (
        store.waiting_since(connection, IdentitySettings(), FlowsheetSettings()).at
        if query is None
        else connection.execute(query).fetchone()[0]
        for query in ("SELECT clock_timestamp()", None, "SELECT clock_timestamp()")
    )
    assert before <= at <= after


def test_histories_are_grouped_by_asset_and_partition(connection):
    connection.execute(
        "INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run, missed_at, missed_run) "
        "VALUES ('album_metadata', '3', '2026-03-04 05:00Z', 'good', NULL, NULL), "
        "('album_metadata', '4', NULL, NULL, '2026-03-04 06:00Z', 'bad')"
    )
    found = store.partition_histories(connection)["album_metadata"]
    assert (found["3"].credited_run, found["3"].failed, found["4"].failed) == ("good", False, True)


def test_the_last_good_run_is_one_that_was_done_without_an_anomaly(connection):
    """The last run of an asset may have failed, been killed, or left an anomaly: none of those is good."""
    connection.execute(
        "INSERT INTO wxyc_assets.run (run_id, asset, origin, started_at, ended_at, verdict) VALUES "
        "('first', 'album_metadata', 'routine', now(), '2026-03-04 01:00Z', 'done'), "
        "('good', 'album_metadata', 'routine', now(), '2026-03-04 02:00Z', 'done'), "
        "('odd', 'album_metadata', 'routine', now(), '2026-03-04 03:00Z', 'anomaly'), "
        "('bad', 'album_metadata', 'routine', now(), '2026-03-04 04:00Z', 'failed'), "
        "('killed', 'album_metadata', 'routine', now(), NULL, NULL), "
        "('other', 'rated_usage', 'routine', now(), '2026-03-04 04:00Z', 'failed')"
    )
    assert store.last_good_runs([connection]) == {"album_metadata": ("good", datetime(2026, 3, 4, 2, tzinfo=UTC))}


def test_a_station_without_libraries_has_no_due_shard(connection):
    assert store.due_shards(connection, IdentitySettings()) == {}
