"""Which plays wait, what marking a play changes, whether a DJ is live, and which shards have untrusted metadata."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from resources import sql_files
from tests.libraries import add_library
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import GRACE, add_play, tally_metadata
from wxyc_assets.assets.flowsheet_enrichment import store

ATTEMPTED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ENTRY_TYPES = ("track", "show_start", "show_end", "dj_join", "dj_leave", "talkset", "breakpoint", "message")
STATUSES = ("pending", "enriching", "enriched_match", "enriched_no_match", "failed_no_retry")
ENRICHED, BARE = 17, 33  # albums of shard 1, with and without metadata


@pytest.fixture
def connection(empty_flowsheet):
    with empty_flowsheet.postgres.connect() as connection:
        for album_id in (ENRICHED, BARE, 18):
            add_library(connection, album_id)
        connection.execute("INSERT INTO album_metadata (album_id, discogs_url) VALUES (17, 'd'), (18, 'd')")
        yield connection


@pytest.fixture
def matrix(connection):
    """Add a play for every combination of the columns of the contract's predicate; return the ids that it selects."""
    combinations = itertools.product(
        (ENRICHED, BARE, None), ENTRY_TYPES, STATUSES, ("Stereolab", None), (None, ATTEMPTED)
    )
    selected = set()
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
            selected.add(play_id)
    assert len(selected) == 2
    return selected


def selection_of(connection, shards):
    return store.current_selection(connection, shards, GRACE)


def waiting_plays(connection, shards=(1,), **options):
    selection = selection_of(connection, list(shards))
    return [play for chunk in store.chunks(connection, selection, 1000, **options) for play in chunk]


def test_exactly_the_plays_of_the_contracts_predicate_are_marked(connection, matrix):
    """They are read and counted by the same predicate."""
    assert {play.play_id for play in waiting_plays(connection)} == matrix
    assert {play.shard for play in waiting_plays(connection)} == {1}
    assert store.count_waiting(connection, selection_of(connection, [1])) == {1: 2}
    every_id = [row[0] for row in connection.execute("SELECT id FROM flowsheet")]
    assert store.mark_enriched(connection, every_id, selection_of(connection, [1])) == matrix
    assert waiting_plays(connection) == []


def test_marking_changes_the_status_and_a_missing_attempt_only(connection, matrix):
    """The table's own trigger also changes updated_at."""
    keys = (
        "SELECT id, to_jsonb(f) - 'metadata_status' - 'metadata_attempt_at' - 'updated_at' FROM flowsheet f ORDER BY id"
    )
    before = connection.execute(keys).fetchall()
    untouched = "SELECT to_jsonb(f) FROM flowsheet f WHERE id <> ALL (%s) ORDER BY id"
    others = connection.execute(untouched, [list(matrix)]).fetchall()
    metadata = connection.execute("SELECT to_jsonb(m) FROM album_metadata m").fetchall()
    with connection.transaction():
        store.mark_enriched(connection, sorted(matrix), selection_of(connection, [1]))
        ((now,),) = connection.execute("SELECT now()").fetchall()
    assert connection.execute(keys).fetchall() == before
    assert connection.execute(untouched, [list(matrix)]).fetchall() == others
    assert connection.execute("SELECT to_jsonb(m) FROM album_metadata m").fetchall() == metadata
    marked = connection.execute(
        "SELECT metadata_status::text, metadata_attempt_at FROM flowsheet WHERE id = ANY (%s) ORDER BY metadata_attempt_at",
        [list(matrix)],
    ).fetchall()
    assert marked == [("enriched_match", ATTEMPTED), ("enriched_match", now)]


def test_play_that_moved_to_another_shard_is_not_marked(connection):
    add_play(connection, 1, ENRICHED)
    connection.execute("UPDATE flowsheet SET album_id = 18")
    assert store.mark_enriched(connection, [1], selection_of(connection, [1])) == set()
    assert store.mark_enriched(connection, [1], selection_of(connection, [2])) == {1}


@pytest.mark.parametrize(
    ("album", "waits"),
    [
        ("artwork_url = NULL, discogs_url = NULL", False),
        ("artwork_url = NULL, discogs_url = NULL, spotify_url = 'https://open.spotify.com/search/x'", False),
        ("artwork_url = 'a', discogs_url = NULL", True),
        ("artwork_url = NULL, discogs_url = 'd'", True),
    ],
)
def test_plays_of_a_shell_do_not_wait(connection, album, waits):
    """Neither are they marked if the chunk was read before, nor counted as left."""
    add_play(connection, 1, ENRICHED)
    connection.execute(f"UPDATE album_metadata SET {album}")
    assert bool(waiting_plays(connection)) is waits
    assert bool(store.count_waiting(connection, selection_of(connection, [1]))) is waits
    assert bool(store.mark_enriched(connection, [1], selection_of(connection, [1]))) is waits


@pytest.mark.parametrize(
    ("age", "waits"), [("14 minutes 50 seconds", False), ("15 minutes", True), ("0 s", False), ("-1 hour", False)]
)
def test_young_plays_are_left_to_the_worker(connection, age, waits):
    add_play(connection, 1, ENRICHED, age=age)
    assert bool(waiting_plays(connection)) is waits
    assert bool(store.count_waiting(connection, selection_of(connection, [1]))) is waits
    assert bool(store.mark_enriched(connection, [1], selection_of(connection, [1]))) is waits


@pytest.mark.parametrize("range_plays", [1, 3, 7, 100])
def test_chunks_hold_every_waiting_play_once_in_order(connection, range_plays):
    """Every chunk but the last is full."""
    for play_id in range(1, 41):
        add_play(connection, play_id, (ENRICHED, BARE, 18, None)[play_id % 4])
    selection = selection_of(connection, [1, 2])
    chunks = list(store.chunks(connection, selection, 6, range_plays))
    assert [len(chunk) for chunk in chunks] == [6, 6, 6, 2]
    plays = [tuple(play) for chunk in chunks for play in chunk]
    assert plays == [(n, 1 if n % 4 == 0 else 2) for n in range(1, 41) if n % 4 in (0, 2)]


def test_plays_of_one_album_are_split_into_chunks(connection):
    for play_id in range(1, 41):
        add_play(connection, play_id, ENRICHED)
    chunks = store.chunks(connection, selection_of(connection, [1]), 15)
    assert [len(chunk) for chunk in chunks] == [15, 15, 10]


def test_plays_and_metadata_after_the_start_do_not_count_as_left(connection):
    add_play(connection, 1, ENRICHED)
    add_play(connection, 2, BARE)
    selection = selection_of(connection, [1])
    assert store.count_waiting(connection, selection) == {1: 1}
    connection.execute("INSERT INTO album_metadata (album_id, artwork_url) VALUES (33, 'a')")
    add_play(connection, 3, ENRICHED)
    assert store.count_waiting(connection, selection) == {1: 1}
    connection.execute("UPDATE flowsheet SET track_title = 'Pack Yr Romantic Mind' WHERE id = 1")
    assert store.count_waiting(connection, selection) == {}


@pytest.mark.parametrize("table", ["flowsheet", "album_metadata"])
@pytest.mark.parametrize(("later", "counts"), [(timedelta(microseconds=-1), True), (timedelta(0), False)])
def test_change_at_the_very_start_is_a_change_since_then(connection, table, later, counts):
    add_play(connection, 1, ENRICHED)
    selection = selection_of(connection, [1])
    connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")  # one stamps updated_at
    connection.execute(f"UPDATE {table} SET updated_at = %s", [selection.as_of + later])
    assert store.count_waiting(connection, selection) == ({1: 1} if counts else {})


def test_play_after_the_highest_of_the_start_does_not_count_as_left(connection):
    """Its clock may be behind that of the database."""
    add_play(connection, 1, ENRICHED)
    selection = selection_of(connection, [1])
    connection.execute("ALTER TABLE flowsheet DISABLE TRIGGER USER")
    add_play(connection, 2, ENRICHED)
    connection.execute("UPDATE flowsheet SET updated_at = '2020-01-01'")
    assert store.count_waiting(connection, selection) == {1: 1}


@pytest.mark.parametrize(
    ("entry_type", "age", "live"),
    [
        ("track", "299 seconds", True),
        ("track", "301 seconds", False),
        ("talkset", "1 second", False),
        ("show_start", "1 second", False),
    ],
)
def test_dj_is_live_if_a_track_was_played_within_the_lookback(connection, entry_type, age, live):
    add_play(connection, 1, None, entry_type=entry_type, age=age, metadata_status="enriched_match")
    assert store.dj_is_live(connection, 300) is live


def test_latest_metadata_run_decides_whether_a_shard_is_trusted(empty_flowsheet, connection):
    tally_metadata(empty_flowsheet.postgres, 0, 5, age="2 hours")
    tally_metadata(empty_flowsheet.postgres, 0, 0, age="1 hour")  # a later run met none
    tally_metadata(empty_flowsheet.postgres, 1, 0, age="2 hours")
    tally_metadata(
        empty_flowsheet.postgres, 1, 3, age="1 hour", complete=False
    )  # killed half-way: untrusted all the same
    tally_metadata(empty_flowsheet.postgres, 2, 1, age="1 hour")
    tally_metadata(empty_flowsheet.postgres, 3, None, age="1 hour")
    connection.execute(
        "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters) "
        """VALUES ('library_identity', '5', 'r', '{"unexpected_index": 9}')"""
    )
    refused = store.untrusted_shards(connection, range(16))
    assert {shard: found.unexpected_index for shard, found in refused.items()} == {1: 3, 2: 1}
    assert refused[1].run_id.startswith("metadata-")
    assert "3 answers with an unexpected index" in str(refused[1])
    assert store.untrusted_shards(connection, [0, 2]).keys() == {2}


def test_chunk_timeouts_last_as_long_as_the_transaction(connection):
    """The lock timeout ends a wait before the server looks for a deadlock."""
    before = connection.execute("SELECT current_setting('statement_timeout')").fetchone()
    with connection.transaction():
        store.set_chunk_timeouts(connection)
        inside = connection.execute(
            "SELECT current_setting('statement_timeout')::interval, "
            "current_setting('lock_timeout')::interval < current_setting('deadlock_timeout')::interval"
        ).fetchone()
        assert (inside[0].total_seconds() * 1000, inside[1]) == (store.STATEMENT_TIMEOUT_MS, True)
    assert connection.execute("SELECT current_setting('statement_timeout')").fetchone() == before


def test_queries_use_the_index_of_pending_plays(flowsheet):
    with flowsheet.postgres.connect() as connection:
        connection.execute(
            "INSERT INTO flowsheet (album_id, artist_name, play_order, metadata_status, add_time) "
            "SELECT 1 + mod(n, 160), 'Stereolab', n, 'enriched_match', now() - interval '1 year' "
            "FROM generate_series(1, 20000) n"
        )
        connection.execute("ANALYZE")
        now = datetime.now(UTC)
        for name, parameters in (
            ("select_range_end", {"after_id": 100, "upto_id": 480, "plays": 50}),
            (
                "select_waiting",
                {"after_id": 100, "upto_id": 200, "played_until": now, "shards": [1], "shard_count": 16},
            ),
            (
                "mark_plays_enriched",
                {"ids": list(range(100, 120)), "played_until": now, "shards": [1], "shard_count": 16},
            ),
        ):
            query = sql_files.load("wxyc_assets.assets.flowsheet_enrichment", name)
            plan = "\n".join(row[0] for row in connection.execute(b"EXPLAIN " + query, parameters))
            assert "Seq Scan on flowsheet" not in plan, plan
            assert "flowsheet_metadata_status_pending_idx" in plan or "flowsheet_pkey" in plan, plan


def test_marked_plays_without_populated_metadata_are_counted(connection):
    """Not those whose album has its metadata, that are not marked, or that are linked to no album."""
    for album in (1, 2, 3, 4):
        add_library(connection, album)
    connection.execute(
        "INSERT INTO album_metadata (album_id, artwork_url, spotify_url) VALUES "
        "(1, 'https://example.org/1', NULL), (2, NULL, NULL), (3, 'https://example.org/3', NULL)"
    )
    plays: list[tuple[int | None, str]] = [
        (1, "enriched_match"),
        (2, "enriched_match"),
        (3, "enriched_match"),
        (3, "enriched_match"),
        (4, "pending"),
        (4, "enriched_no_match"),
        (None, "enriched_match"),
    ]
    for play, (linked, status) in enumerate(plays, start=1):
        add_play(connection, play, linked, metadata_status=status)
    assert vars(store.marked_without_metadata(connection)) == {"plays": 1, "albums": 1, "first_albums": [2]}
    connection.execute("DELETE FROM album_metadata WHERE album_id = 3")
    assert vars(store.marked_without_metadata(connection)) == {"plays": 3, "albums": 2, "first_albums": [2, 3]}
