"""Whose cache is warmed, and what the ledger has of the last day."""

from datetime import timedelta

import pytest

from tests.wxyc_assets.rotation_cache.warmings import in_days, today
from wxyc_assets.rotation_cache import store
from wxyc_assets.rotation_cache.findings import Recent

DAY = timedelta(hours=24)


@pytest.fixture
def connection(empty):
    with empty.postgres.connect() as session:
        yield session


def test_each_identity_of_the_active_rotation_is_asked_about_once_by_ascending_id(empty, connection):
    empty.add(30)
    empty.add(10, times=3)
    empty.add(20, kill=in_days(1))
    empty.add(None)
    empty.add(40, kill=today())  # killed today is killed
    empty.add(50, kill=in_days(-1))
    empty.add(60, kill=today())
    empty.add(60)  # but back in another bin
    assert store.active_identities(connection) == [10, 20, 30, 60]


def test_an_empty_rotation_has_nobody_to_ask_about(connection):
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


def test_the_last_day_is_all_runs_within_it_and_no_older_one(connection):
    assert store.recent(connection) == Recent(0, 0, 0, [])
    tally(connection, "yesterday", DAY, identities_scanned=1000, lml_error=1, not_found=500)
    tally(connection, "morning", DAY - timedelta(minutes=1), identities_scanned=60, lml_error=5, not_found=2)
    tally(connection, "noon", timedelta(0), identities_scanned=40, lml_error=1, not_found=1)
    tally(connection, "of an older revision", timedelta(0))
    assert store.recent(connection) == Recent(100, 6, 3, [])


def test_another_assets_tallies_and_stale_ids_are_not_ours(connection):
    tally(connection, "ours", timedelta(0), identities_scanned=1, not_found=1)
    connection.execute("UPDATE wxyc_assets.tally SET asset = 'album_metadata'")
    stale(connection, 7, timedelta(0), asset="album_metadata")
    stale(connection, 8, timedelta(0), kind="something else")
    assert store.recent(connection) == Recent(0, 0, 0, [])


def test_the_first_twenty_that_are_stale_now_are_named(connection):
    for identity_id in range(40, 10, -1):
        stale(connection, identity_id, timedelta(0))
    stale(connection, 5, DAY)  # too long ago
    stale(connection, 6, timedelta(0), resolved=True)  # known by now
    assert store.recent(connection).stale_ids == list(range(11, 31))
