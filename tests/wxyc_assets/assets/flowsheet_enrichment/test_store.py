"""Which plays wait, what marking one changes, who is live, and whom not to build upon."""

import itertools
from datetime import UTC, datetime

import pytest

from tests.libraries import add_library
from tests.wxyc_assets.flowsheet_enrichment.passes import add_play, tally_metadata
from wxyc_assets.flowsheet_enrichment import store

ATTEMPTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ENTRY_TYPES = ("track", "show_start", "show_end", "dj_join", "dj_leave", "talkset", "breakpoint", "message")
STATUSES = ("pending", "enriching", "enriched_match", "enriched_no_match", "failed_no_retry")
ENRICHED, BARE = 17, 33  # albums of shard 1, with and without metadata


@pytest.fixture
def connection(passes):
    with passes.postgres.connect() as connection:
        for album_id in (ENRICHED, BARE, 18):
            add_library(connection, album_id)
        connection.execute("INSERT INTO album_metadata (album_id) VALUES (17), (18)")
        yield connection


@pytest.fixture
def matrix(connection):
    """A play for every combination of what the contract's predicate looks at; returns those that it means."""
    combinations = itertools.product(
        (ENRICHED, BARE, None), ENTRY_TYPES, STATUSES, ("Stereolab", None), (None, ATTEMPTED)
    )
    meant = set()
    for play_id, (album_id, entry_type, status, artist, attempted) in enumerate(combinations, start=1):
        add_play(
            connection,
            play_id,
            album_id,
            entry_type=entry_type,
            metadata_status=status,
            artist_name=artist,
            metadata_attempt_at=attempted,
        )
        if (album_id, entry_type, status, artist) == (ENRICHED, "track", "pending", "Stereolab"):
            meant.add(play_id)
    assert len(meant) == 2
    return meant


def selected(connection, shards=(1,), **options):
    selection = store.beginning(connection, list(shards))
    return [play for chunk in store.chunks(connection, selection, 1000, **options) for play in chunk]


def test_exactly_the_plays_of_the_contracts_predicate_are_read_counted_and_marked(connection, matrix):
    assert {play.play_id for play in selected(connection)} == matrix
    assert {play.shard for play in selected(connection)} == {1}
    assert store.count_waiting(connection, store.beginning(connection, [1])) == {1: 2}
    every_id = [row[0] for row in connection.execute("SELECT id FROM flowsheet")]
    assert store.flip(connection, every_id, [1]) == matrix
    assert selected(connection) == []


def test_marking_changes_the_status_the_missing_attempt_and_what_the_tables_own_trigger_changes_and_nothing_else(
    connection, matrix
):
    keys = (
        "SELECT id, to_jsonb(f) - 'metadata_status' - 'metadata_attempt_at' - 'updated_at' FROM flowsheet f ORDER BY id"
    )
    before = connection.execute(keys).fetchall()
    untouched = "SELECT to_jsonb(f) FROM flowsheet f WHERE id <> ALL (%s) ORDER BY id"
    others = connection.execute(untouched, [list(matrix)]).fetchall()
    metadata = connection.execute("SELECT to_jsonb(m) FROM album_metadata m").fetchall()
    with connection.transaction():
        store.flip(connection, sorted(matrix), [1])
        ((now,),) = connection.execute("SELECT now()").fetchall()
    assert connection.execute(keys).fetchall() == before
    assert connection.execute(untouched, [list(matrix)]).fetchall() == others
    assert connection.execute("SELECT to_jsonb(m) FROM album_metadata m").fetchall() == metadata
    marked = connection.execute(
        "SELECT metadata_status::text, metadata_attempt_at FROM flowsheet WHERE id = ANY (%s) ORDER BY metadata_attempt_at",
        [list(matrix)],
    ).fetchall()
    assert marked == [("enriched_match", ATTEMPTED), ("enriched_match", now)]


def test_a_play_that_moved_to_an_album_of_a_shard_that_is_not_the_runs_is_left_alone(connection):
    add_play(connection, 1, ENRICHED)
    connection.execute("UPDATE flowsheet SET album_id = 18")
    assert store.flip(connection, [1], [1]) == set()
    assert store.flip(connection, [1], [2]) == {1}


@pytest.mark.parametrize("stretch_plays", [1, 3, 7, 100])
def test_chunks_hold_every_waiting_play_once_in_order_of_id_and_are_full_but_for_the_last(connection, stretch_plays):
    for play_id in range(1, 41):
        add_play(connection, play_id, (ENRICHED, BARE, 18, None)[play_id % 4])
    selection = store.beginning(connection, [1, 2])
    chunks = list(store.chunks(connection, selection, 6, stretch_plays))
    assert [len(chunk) for chunk in chunks] == [6, 6, 6, 2]
    plays = [tuple(play) for chunk in chunks for play in chunk]
    assert plays == [(n, 1 if n % 4 == 0 else 2) for n in range(1, 41) if n % 4 in (0, 2)]


def test_an_album_that_was_played_for_ever_still_comes_in_chunks(connection):
    for play_id in range(1, 41):
        add_play(connection, play_id, ENRICHED)
    assert [len(chunk) for chunk in store.chunks(connection, store.beginning(connection, [1]), 15)] == [15, 15, 10]


def test_a_play_or_metadata_that_came_after_the_beginning_is_not_what_the_run_left_behind(connection):
    add_play(connection, 1, ENRICHED)
    add_play(connection, 2, BARE)
    selection = store.beginning(connection, [1])
    assert store.count_waiting(connection, selection) == {1: 1}
    connection.execute("INSERT INTO album_metadata (album_id) VALUES (33)")
    add_play(connection, 3, ENRICHED)
    assert store.count_waiting(connection, selection) == {1: 1}
    connection.execute("UPDATE flowsheet SET track_title = 'Pack Yr Romantic Mind' WHERE id = 1")
    assert store.count_waiting(connection, selection) == {}


@pytest.mark.parametrize(
    ("entry_type", "age", "live"),
    [
        ("track", "299 seconds", True),
        ("track", "301 seconds", False),
        ("talkset", "1 second", False),
        ("show_start", "1 second", False),
    ],
)
def test_a_dj_is_live_when_a_track_was_played_within_the_lookback(connection, entry_type, age, live):
    add_play(connection, 1, None, entry_type=entry_type, age=age, metadata_status="enriched_match")
    assert store.dj_is_live(connection, 300) is live


def test_only_a_shards_latest_metadata_run_decides_whether_it_may_be_built_upon(passes, connection):
    tally_metadata(passes.postgres, 0, 5, age="2 hours")
    tally_metadata(passes.postgres, 0, 0, age="1 hour")  # it was put right since
    tally_metadata(passes.postgres, 1, 0, age="2 hours")
    tally_metadata(passes.postgres, 1, 3, age="1 hour", complete=False)  # killed half-way, and mistrusted all the same
    tally_metadata(passes.postgres, 2, 1, age="1 hour")
    tally_metadata(passes.postgres, 3, None, age="1 hour")
    connection.execute(
        "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters) "
        """VALUES ('library_identity', '5', 'r', '{"unexpected_index": 9}')"""
    )
    refused = store.distrusted(connection, range(16))
    assert {shard: distrust.unexpected_index for shard, distrust in refused.items()} == {1: 3, 2: 1}
    assert refused[1].run_id.startswith("metadata-")
    assert "3 answers under an unexpected index" in str(refused[1])
    assert store.distrusted(connection, [0, 2]).keys() == {2}


def test_a_chunks_timeouts_last_as_long_as_its_transaction_and_let_go_before_the_server_breaks_a_deadlock(connection):
    before = connection.execute("SELECT current_setting('statement_timeout')").fetchone()
    with connection.transaction():
        store.set_chunk_timeouts(connection)
        inside = connection.execute(
            "SELECT current_setting('statement_timeout')::interval, "
            "current_setting('lock_timeout')::interval < current_setting('deadlock_timeout')::interval"
        ).fetchone()
        assert (inside[0].total_seconds() * 1000, inside[1]) == (store.STATEMENT_TIMEOUT_MS, True)
    assert connection.execute("SELECT current_setting('statement_timeout')").fetchone() == before


def test_a_chunk_and_a_stretch_are_read_from_the_index_of_pending_plays_however_long_the_flowsheet_is(played):
    with played.postgres.connect() as connection:
        connection.execute(
            "INSERT INTO flowsheet (album_id, artist_name, play_order, metadata_status, add_time) "
            "SELECT 1 + mod(n, 160), 'Stereolab', n, 'enriched_match', now() - interval '1 year' "
            "FROM generate_series(1, 20000) n"
        )
        connection.execute("ANALYZE")
        for name, parameters in (
            ("select_stretch_end", {"after_id": 100, "upto_id": 480, "plays": 50}),
            ("select_waiting", {"after_id": 100, "upto_id": 200, "shards": [1], "shard_count": 16}),
            ("flip_plays", {"ids": list(range(100, 120)), "shards": [1], "shard_count": 16}),
        ):
            query = store.sql_files.load("wxyc_assets.flowsheet_enrichment", name)
            plan = "\n".join(row[0] for row in connection.execute(b"EXPLAIN " + query, parameters))
            assert "Seq Scan on flowsheet" not in plan, plan
            assert "flowsheet_metadata_status_pending_idx" in plan or "flowsheet_pkey" in plan, plan
