"""Which albums are pending, and what would be asked about them: on the live tables, with their triggers."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.libraries import add_library
from tests.wxyc_assets.album_metadata.runs import RETRY
from wxyc_assets.album_metadata import store
from wxyc_assets.album_metadata.verdicts import Album


@pytest.fixture
def connection(runs):
    with runs.postgres.connect() as connection:
        yield connection


def play(connection, album_id, *, entry_type="track", artist_name="Somebody", status="pending", play_id=None):
    connection.execute(
        "INSERT INTO flowsheet (id, album_id, entry_type, artist_name, metadata_status, play_order, add_time) "
        "VALUES (COALESCE(%s, nextval('flowsheet_id_seq')), %s, %s, %s, %s, 1, now() - interval '1 day')",
        [play_id, album_id, entry_type, artist_name, status],
    )


def plan(connection, shards=range(16), **overrides):
    return store.plan(connection, list(shards), **{"retry_after": RETRY, "batch_size": 5, **overrides})


def to_ask(connection, **overrides):
    return {one for shard in plan(connection, **overrides).shards.values() for one in shard.album_ids}


def test_an_album_is_pending_by_the_contracts_predicate_and_once_however_often_it_was_played(connection):
    for album_id in range(1, 8):
        add_library(connection, album_id)
    play(connection, 1)
    play(connection, 1)
    play(connection, 2, entry_type="message")
    play(connection, 3, artist_name=None)
    for status in ("enriching", "enriched_match", "enriched_no_match", "failed_no_retry"):
        play(connection, 4, status=status)
    play(connection, None)
    play(connection, 5, status="enriched_match")
    play(connection, 5)
    play(connection, 7)
    connection.execute("INSERT INTO album_metadata (album_id) VALUES (7)")  # had a row before: asked again, as ever
    assert to_ask(connection) == {1, 5, 7}
    assert plan(connection).scanned == 3


def test_an_empty_flowsheet_has_nothing_pending(connection):
    assert (plan(connection).scanned, plan(connection).batches) == (0, 0)
    assert set(plan(connection).shards) == set(range(16))


def test_albums_go_to_their_shards_by_ascending_id(connection):
    for album_id in (33, 1, 17, 2):
        add_library(connection, album_id)
        play(connection, album_id)
    shards = plan(connection, shards=[1, 5]).shards
    assert {shard: list(one.album_ids) for shard, one in shards.items()} == {1: [1, 17, 33], 5: []}


@pytest.mark.parametrize("stretch", [1, 3, 10, 1000])
def test_stretches_of_the_flowsheet_of_any_length_find_the_same_albums(connection, monkeypatch, stretch):
    for album_id in range(1, 9):
        add_library(connection, album_id)
        play(connection, album_id, play_id=album_id * 7 - 6)
    monkeypatch.setattr(store, "STRETCH_PLAYS", stretch)
    monkeypatch.setattr(store, "QUESTIONS_AT_ONCE", 3)
    assert to_ask(connection) == set(range(1, 9))


def test_a_stretch_is_read_from_the_index_of_pending_plays_and_never_from_the_whole_flowsheet(played):
    # Most plays are done, as on any day but the first.
    played.execute(
        "INSERT INTO flowsheet (album_id, entry_type, artist_name, metadata_status, play_order) "
        "SELECT 1 + i % 160, 'track', 'x', 'enriched_match', 1 FROM generate_series(1, 20000) AS g (i)"
    )
    played.execute("ANALYZE flowsheet")
    with played.postgres.connect() as connection:
        lines = connection.execute(
            "EXPLAIN SELECT DISTINCT album_id FROM wxyc_assets.pending_play() "
            "WHERE play_id > 0 AND play_id <= 200000 AND mod(album_id, 16) = ANY ('{1,2}'::int[])"
        ).fetchall()
    plan_text = "\n".join(line for (line,) in lines)
    assert "flowsheet_metadata_status_pending_idx" in plan_text
    assert "Seq Scan" not in plan_text


def test_what_is_asked_is_the_artists_own_name_before_the_librarys_and_the_title(connection):
    add_library(connection, 1, artist_name="as it was typed")
    add_library(connection, 2, artist_name=None)
    connection.execute("UPDATE artists SET artist_name = 'The Artist'")  # a trigger carries it into the library
    connection.execute("UPDATE library SET artist_name = 'as it was typed' WHERE id = 1")
    found = store.questions(connection, [2, 1], as_of=datetime.now(UTC), retry_after=RETRY)
    assert found.albums == [Album(1, "The Artist", "Edits"), Album(2, "The Artist", "Edits")]
    assert found.set_aside.scanned == 0


def test_albums_that_are_flagged_or_gone_cannot_be_asked_about_and_are_counted(connection):
    for album_id in (1, 2):
        add_library(connection, album_id)
        play(connection, album_id)
    connection.execute("UPDATE library SET discogs_unavailable = true WHERE id = 2")
    connection.execute("SET session_replication_role TO replica")  # a play that outlived its album
    play(connection, 3)
    one = plan(connection)
    assert (one.scanned, one.to_ask) == (3, 1)
    assert {shard: each.skipped_unresolvable for shard, each in one.shards.items() if each.set_aside.scanned} == {
        2: 1,
        3: 1,
    }
    found = store.questions(connection, [1, 2, 3], as_of=datetime.now(UTC), retry_after=RETRY)
    assert [album.album_id for album in found.albums] == [1]
    assert (found.set_aside.scanned, found.set_aside.skipped_unresolvable) == (2, 2)


def remember(connection, album_id, age, title="Edits"):
    connection.execute(
        "INSERT INTO wxyc_assets.album_no_match (album_id, artist_name, album_title, asked_at, run_id) "
        "VALUES (%s, 'C', %s, now() - %s::interval, 'r')",
        [album_id, title, age],
    )


def test_an_unknown_album_rests_until_the_retry_days_are_over_unless_its_names_were_corrected(connection):
    for album_id in range(1, 6):
        add_library(connection, album_id)
        play(connection, album_id)
    remember(connection, 1, timedelta(days=29))
    remember(connection, 2, timedelta(days=31))
    remember(connection, 3, timedelta(days=1), title="Edts")
    remember(connection, 4, timedelta(0))
    one = plan(connection)
    assert {shard: each.resting for shard, each in one.shards.items() if each.resting} == {1: 1, 4: 1}
    assert to_ask(connection) == {2, 3, 5}
    assert to_ask(connection, retry_after=timedelta(days=40)) == {3, 5}


def test_exactly_the_retry_time_ago_is_too_soon(connection):
    add_library(connection, 1)
    as_of = datetime(2026, 5, 1, tzinfo=UTC)
    connection.execute(
        "INSERT INTO wxyc_assets.album_no_match VALUES (1, 'C', 'Edits', %s::timestamptz - %s::interval, 'r')",
        [as_of, RETRY],
    )
    soon = store.questions(connection, [1], as_of=as_of, retry_after=RETRY)
    assert (soon.albums, soon.set_aside.deferred) == ([], 1)
    late = store.questions(connection, [1], as_of=as_of + timedelta(microseconds=1), retry_after=RETRY)
    assert len(late.albums) == 1


def test_an_album_in_quarantine_rests_while_it_waits_and_no_other_assets_quarantine_counts(connection):
    for album_id in range(1, 5):
        add_library(connection, album_id)
        play(connection, album_id)
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


def test_the_last_day_counts_all_runs_within_it_and_names_the_first(connection):
    assert store.recent_mismatches(connection).mismatches == 0
    tally(connection, "yesterday", 50, timedelta(hours=25))
    mismatch(connection, 3, timedelta(hours=25))
    assert store.recent_mismatches(connection) == store.RecentMismatches(0)
    tally(connection, "morning", 2, timedelta(hours=23))
    mismatch(connection, 40, timedelta(hours=23))
    mismatch(connection, 41, timedelta(hours=23, seconds=-1))
    tally(connection, "now", 5, timedelta(0))
    mismatch(connection, 7, timedelta(0))
    assert store.recent_mismatches(connection) == store.RecentMismatches(7, 40, "why 40", "run")
