"""Which albums are pending and which of them a run asks about, on the live tables with their triggers."""

from datetime import UTC, datetime, timedelta

import pytest

from resources import sql_files
from tests.libraries import add_library
from tests.wxyc_assets.assets.album_metadata.harness import GRACE, RETRY
from wxyc_assets.assets.album_metadata import store
from wxyc_assets.assets.album_metadata.checks import RecentMismatches
from wxyc_assets.assets.album_metadata.verdicts import Album


@pytest.fixture
def connection(empty_station):
    with empty_station.postgres.connect() as connection:
        yield connection


def add_play(
    connection, album_id, *, entry_type="track", artist_name="Stereolab", status="pending", play_id=None, age="1 day"
):
    connection.execute(
        "INSERT INTO flowsheet (id, album_id, entry_type, artist_name, metadata_status, play_order, add_time) "
        "VALUES (COALESCE(%s, nextval('flowsheet_id_seq')), %s, %s, %s, %s, 1, now() - %s::interval)",
        [play_id, album_id, entry_type, artist_name, status, age],
    )


def plan(connection, shards=range(16), **overrides):
    return store.plan(connection, list(shards), **{"retry_after": RETRY, "grace": GRACE, "batch_size": 5, **overrides})


def to_ask(connection, **overrides):
    return {one for shard in plan(connection, **overrides).shards.values() for one in shard.album_ids}


def test_album_is_pending_once_by_the_contracts_predicate(connection):
    for album_id in range(1, 8):
        add_library(connection, album_id)
    add_play(connection, 1)
    add_play(connection, 1)
    add_play(connection, 2, entry_type="message")
    add_play(connection, 3, artist_name=None)
    for status in ("enriching", "enriched_match", "enriched_no_match", "failed_no_retry"):
        add_play(connection, 4, status=status)
    add_play(connection, None)
    add_play(connection, 5, status="enriched_match")
    add_play(connection, 5)
    add_play(connection, 7)
    connection.execute("INSERT INTO album_metadata (album_id) VALUES (7)")  # an album with a row is requested again
    assert to_ask(connection) == {1, 5, 7}
    assert plan(connection).scanned == 3


def test_empty_flowsheet_has_no_pending_album(connection):
    assert (plan(connection).scanned, plan(connection).batches) == (0, 0)
    assert set(plan(connection).shards) == set(range(16))


def test_albums_of_a_shard_are_in_id_order(connection):
    for album_id in (33, 1, 17, 2):
        add_library(connection, album_id)
        add_play(connection, album_id)
    shards = plan(connection, shards=[1, 5]).shards
    assert {shard: list(one.album_ids) for shard, one in shards.items()} == {1: [1, 17, 33], 5: []}


@pytest.mark.parametrize("range_plays", [1, 3, 10, 1000])
def test_ranges_of_any_length_find_the_same_albums(connection, monkeypatch, range_plays):
    for album_id in range(1, 9):
        add_library(connection, album_id)
        add_play(connection, album_id, play_id=album_id * 7 - 6)
    monkeypatch.setattr(store, "RANGE_PLAYS", range_plays)
    monkeypatch.setattr(store, "ALBUMS_PER_QUERY", 3)
    assert to_ask(connection) == set(range(1, 9))


def test_albums_played_within_the_grace_are_left_to_the_worker(connection):
    """Unless an older play of theirs still waits: the worker has given that one up."""
    for album_id, *ages in ((1, "5 min"), (2, "14 min 50 s", "0 s"), (3, "15 min 1 s"), (4, "1 min", "2 days")):
        add_library(connection, album_id)
        for age in ages:
            add_play(connection, album_id, age=age)
    assert to_ask(connection) == {3, 4}
    assert to_ask(connection, grace=timedelta(0)) == {1, 2, 3, 4}


def test_range_is_read_from_the_index_of_pending_plays(albums):
    # Most plays are done, as on any day but the first.
    albums.execute(
        "INSERT INTO flowsheet (album_id, entry_type, artist_name, metadata_status, play_order) "
        "SELECT 1 + i % 160, 'track', 'x', 'enriched_match', 1 FROM generate_series(1, 20000) AS g (i)"
    )
    albums.execute("ANALYZE flowsheet")
    with albums.postgres.connect() as connection:
        lines = connection.execute(
            b"EXPLAIN " + sql_files.load("wxyc_assets.assets.album_metadata", "select_pending_albums"),
            {
                "after_id": 0,
                "upto_id": 200_000,
                "played_until": datetime.now(UTC),
                "shards": [1, 2],
                "shard_count": 16,
            },
        ).fetchall()
    plan_text = "\n".join(line for (line,) in lines)
    assert "flowsheet_metadata_status_pending_idx" in plan_text
    assert "Seq Scan" not in plan_text


def test_name_of_the_artist_precedes_the_librarys(connection):
    add_library(connection, 1, artist_name="as it was typed")
    add_library(connection, 2, artist_name=None)
    connection.execute("UPDATE artists SET artist_name = 'The Artist'")  # a trigger carries it into the library
    connection.execute("UPDATE library SET artist_name = 'as it was typed' WHERE id = 1")
    found = store.lookup_inputs(connection, [2, 1], as_of=datetime.now(UTC), retry_after=RETRY)
    assert found.albums == [Album(1, "The Artist", "Edits"), Album(2, "The Artist", "Edits")]
    assert found.not_asked.scanned == 0


def test_flagged_and_deleted_albums_are_counted_as_not_asked(connection):
    for album_id in (1, 2):
        add_library(connection, album_id)
        add_play(connection, album_id)
    connection.execute("UPDATE library SET discogs_unavailable = true WHERE id = 2")
    connection.execute("SET session_replication_role TO replica")  # a play that outlived its album
    add_play(connection, 3)
    one = plan(connection)
    assert (one.scanned, one.to_ask) == (3, 1)
    assert {shard: each.skipped_unresolvable for shard, each in one.shards.items() if each.not_asked.scanned} == {
        2: 1,
        3: 1,
    }
    found = store.lookup_inputs(connection, [1, 2, 3], as_of=datetime.now(UTC), retry_after=RETRY)
    assert [album.album_id for album in found.albums] == [1]
    assert (found.not_asked.scanned, found.not_asked.skipped_unresolvable) == (2, 2)


def add_no_match(connection, album_id, age, title="Edits"):
    connection.execute(
        "INSERT INTO wxyc_assets.album_no_match (album_id, artist_name, album_title, asked_at, run_id) "
        "VALUES (%s, 'C', %s, now() - %s::interval, 'r')",
        [album_id, title, age],
    )


def test_unknown_album_waits_for_its_retry_period(connection):
    """It does not wait if its names were corrected."""
    for album_id in range(1, 6):
        add_library(connection, album_id)
        add_play(connection, album_id)
    add_no_match(connection, 1, timedelta(days=29))
    add_no_match(connection, 2, timedelta(days=31))
    add_no_match(connection, 3, timedelta(days=1), title="Edts")
    add_no_match(connection, 4, timedelta(0))
    one = plan(connection)
    assert {shard: each.resting for shard, each in one.shards.items() if each.resting} == {1: 1, 4: 1}
    assert to_ask(connection) == {2, 3, 5}
    assert to_ask(connection, retry_after=timedelta(days=40)) == {3, 5}


def test_no_match_exactly_one_retry_period_ago_still_waits(connection):
    add_library(connection, 1)
    as_of = datetime(2026, 5, 1, tzinfo=UTC)
    connection.execute(
        "INSERT INTO wxyc_assets.album_no_match VALUES (1, 'C', 'Edits', %s::timestamptz - %s::interval, 'r')",
        [as_of, RETRY],
    )
    soon = store.lookup_inputs(connection, [1], as_of=as_of, retry_after=RETRY)
    assert (soon.albums, soon.not_asked.deferred) == ([], 1)
    late = store.lookup_inputs(connection, [1], as_of=as_of + timedelta(microseconds=1), retry_after=RETRY)
    assert len(late.albums) == 1


def test_album_in_quarantine_waits_for_this_asset_only(connection):
    for album_id in range(1, 5):
        add_library(connection, album_id)
        add_play(connection, album_id)
    for asset, album_id, wait in (
        ("album_metadata", 1, "1 hour"),
        ("album_metadata", 2, "-1 hour"),
        ("album_metadata", 3, None),
        ("library_identity", 4, "1 hour"),
    ):
        connection.execute(
            "INSERT INTO wxyc_assets.quarantine (asset, input_id, kind, reason, payload_digest, run_id, wait_until) "
            "VALUES (%s, %s, 'writer_error', 'r', 'd', 'run', now() + %s::interval)",
            [asset, album_id, wait],
        )
    assert to_ask(connection) == {2, 3, 4}


def tally(connection, run_id, mismatches, age):
    connection.execute(
        "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters, updated_at) "
        "VALUES ('album_metadata', '1', %s, jsonb_build_object('unexpected_index', %s::int), now() - %s::interval)",
        [run_id, mismatches, age],
    )


def mismatch(connection, album_id, age):
    connection.execute(
        "INSERT INTO wxyc_assets.quarantine (asset, input_id, kind, reason, payload_digest, run_id, last_seen_at) "
        "VALUES ('album_metadata', %s, 'unexpected_index', 'why ' || %s, 'd', 'run', now() - %s::interval)",
        [album_id, album_id, age],
    )


def test_recent_mismatches_are_those_of_the_last_24_hours(connection):
    """The first of them is named."""
    assert store.recent_mismatches(connection).mismatches == 0
    tally(connection, "yesterday", 50, timedelta(hours=25))
    mismatch(connection, 3, timedelta(hours=25))
    assert store.recent_mismatches(connection) == RecentMismatches(0)
    tally(connection, "morning", 2, timedelta(hours=23))
    mismatch(connection, 40, timedelta(hours=23))
    mismatch(connection, 41, timedelta(hours=23, seconds=-1))
    tally(connection, "now", 5, timedelta(0))
    mismatch(connection, 7, timedelta(0))
    assert store.recent_mismatches(connection) == RecentMismatches(7, 40, "why 40", "run")
