"""The identities to warm, and the ledger's counts of the last day."""

from datetime import timedelta

import pytest

from tests.wxyc_assets.assets.rotation_cache.harness import in_days, today
from wxyc_assets.assets.rotation_cache import store
from wxyc_assets.assets.rotation_cache.checks import RecentRefreshes

DAY = timedelta(hours=24)


@pytest.fixture
def connection(empty_rotation):
    with empty_rotation.postgres.connect() as session:
        yield session


def test_active_identities_are_distinct_and_sorted(empty_rotation, connection):
    empty_rotation.add(30)
    empty_rotation.add(10, times=3)
    empty_rotation.add(20, kill=in_days(1))
    empty_rotation.add(None)
    empty_rotation.add(40, kill=today())  # killed today is killed
    empty_rotation.add(50, kill=in_days(-1))
    empty_rotation.add(60, kill=today())
    empty_rotation.add(60)  # but active in another bin
    assert store.active_identities(connection) == [10, 20, 30, 60]


def test_an_empty_rotation_has_no_identities(connection):
    assert store.active_identities(connection) == []


def tally(connection, run_id, age, **counters):
    connection.execute(
        "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters, updated_at) "
        "VALUES ('rotation_cache', '2026-01-01', %s, %s::jsonb, now() - %s::interval)",
        [run_id, str(counters).replace("'", '"'), age],
    )


def stale(connection, identity_id, age, *, resolved=False, asset="rotation_cache", kind="not_found"):
    connection.execute(
        "INSERT INTO wxyc_assets.quarantine (asset, input_id, kind, reason, payload_digest, run_id, last_seen_at, resolved_at) "
        "VALUES (%s, %s, %s, 'r', 'd', 'run', now() - %s::interval, CASE WHEN %s THEN now() END)",
        [asset, identity_id, kind, age, resolved],
    )


def test_only_runs_of_the_last_24_hours_are_counted(connection):
    assert store.recent_refreshes(connection) == RecentRefreshes(0, 0, 0, [])
    tally(connection, "yesterday", DAY, identities_scanned=1000, lml_error=1, not_found=500)
    tally(connection, "morning", DAY - timedelta(minutes=1), identities_scanned=60, lml_error=5, not_found=2)
    tally(connection, "noon", timedelta(0), identities_scanned=40, lml_error=1, not_found=1)
    tally(connection, "of an older revision", timedelta(0))
    assert store.recent_refreshes(connection) == RecentRefreshes(100, 6, 3, [])


def test_tallies_and_quarantine_of_other_assets_are_ignored(connection):
    tally(connection, "ours", timedelta(0), identities_scanned=1, not_found=1)
    connection.execute("UPDATE wxyc_assets.tally SET asset = 'album_metadata'")
    stale(connection, 7, timedelta(0), asset="album_metadata")
    stale(connection, 8, timedelta(0), kind="something else")
    assert store.recent_refreshes(connection) == RecentRefreshes(0, 0, 0, [])


def test_the_first_twenty_unknown_identities_are_named(connection):
    for identity_id in range(40, 10, -1):
        stale(connection, identity_id, timedelta(0))
    stale(connection, 5, DAY)  # too long ago
    stale(connection, 6, timedelta(0), resolved=True)  # LML knows it by now
    assert store.recent_refreshes(connection).stale_ids == list(range(11, 31))
