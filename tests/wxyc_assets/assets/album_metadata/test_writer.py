"""A batch is one transaction of rows, no-matches, quarantine and tally; a refused row is left out alone."""

import threading

import psycopg
import pytest

from resources.lml.models import Artwork
from tests.blocked_sessions import wait_until_blocked
from tests.wxyc_assets.assets.album_metadata.fake_lml import artwork
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.derivation import derive
from wxyc_assets.assets.album_metadata.verdicts import Album, Outcome
from wxyc_assets.assets.album_metadata.writer import ShardWriter

NOTHING = Counters()


@pytest.fixture
def connection(albums):
    with albums.postgres.connect() as connection:
        yield connection


def matched(album_id, **fields):
    return Outcome(album_id, "match", row=derive(album_id, Artwork(**{**artwork(), **fields})))


def write(connection, outcomes, extra=NOTHING, *, run_id="run", writer=None):
    writer = writer or ShardWriter(connection, run_id, 1)
    albums = [Album(one.album_id, f"artist {one.album_id}", f"title {one.album_id}") for one in outcomes]
    return writer, writer.write(albums, outcomes, extra)


def quarantined(albums):
    return albums.rows(
        "SELECT input_id, kind, failures, wait_until IS NOT NULL, resolved_at IS NOT NULL FROM wxyc_assets.quarantine "
        "WHERE asset = 'album_metadata' ORDER BY 1, 2"
    )


def test_row_has_the_ten_columns_and_the_time(connection, albums):
    writer, _ = write(connection, [matched(1), matched(2, release_year=0, spotify_url="https://evil.example")])
    assert albums.metadata() == {
        1: (
            "https://i.discogs.com/7.jpeg",
            "https://www.discogs.com/release/7",
            1999,
            "https://open.spotify.com/album/7",
            "https://music.apple.com/us/album/7",
            None,
            "https://superchunk.bandcamp.com/album/7",
            None,
            "Superchunk of Sub Pop.",
            "https://en.wikipedia.org/wiki/Superchunk",
        ),
        2: (
            "https://i.discogs.com/7.jpeg",
            "https://www.discogs.com/release/7",
            None,
            None,
            "https://music.apple.com/us/album/7",
            None,
            "https://superchunk.bandcamp.com/album/7",
            None,
            "Superchunk of Sub Pop.",
            "https://en.wikipedia.org/wiki/Superchunk",
        ),
    }
    assert albums.rows("SELECT now() - max(updated_at) < interval '1 minute' FROM album_metadata") == [(True,)]
    assert writer.tallied == Counters(scanned=2, match=2, upserts=2)


REFUSED = {
    "a URL of 513 characters": {"soundcloud_url": "https://x.example/" + "x" * 495},
    "a URL of 600 characters": {"artwork_url": "x" * 600},
    "a year that no smallint holds": {"release_year": 40_000},
    "a year that no integer holds": {"release_year": 10**30},
    "a NUL": {"artist_bio": "half\0bio"},
    "half a surrogate pair": {"artist_bio": "half \ud800"},
}


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED)
def test_refused_row_is_quarantined_alone(connection, albums, fields):
    outcomes = [matched(album_id) for album_id in range(1, 8)]
    outcomes[4] = Outcome(5, "match", row=derive(5, Artwork.model_construct(**{**artwork(), **fields})))
    writer, written = write(connection, outcomes, Counters(batches=1, lml_total_calls=1))
    assert sorted(albums.metadata()) == [1, 2, 3, 4, 6, 7]
    assert writer.tallied == Counters(scanned=7, match=7, upserts=6, writer_error=1, batches=1, lml_total_calls=1)
    assert albums.tallied("run") == writer.tallied.stored()
    assert quarantined(albums) == [(5, "writer_error", 1, False, False)]
    ((reason, digest),) = albums.rows("SELECT reason, payload_digest FROM wxyc_assets.quarantine")
    assert reason == written[4].reason[:2000].replace("\ud800", "?")
    assert reason.partition(":")[0] in {
        "StringDataRightTruncation",
        "NumericValueOutOfRange",
        "UntranslatableCharacter",
        "InvalidTextRepresentation",
    }
    assert len(digest) == 64
    assert [one.bucket for one in written] == ["match"] * 7


def test_url_of_512_characters_fits(connection, albums):
    write(connection, [matched(1, bandcamp_url="x" * 512)])
    assert len(albums.metadata()[1][6]) == 512


def test_deleted_album_affects_no_other(connection, albums):
    writer, written = write(connection, [matched(1), matched(9999), matched(2)])
    assert sorted(albums.metadata()) == [1, 2]
    assert written[1].reason.startswith("ForeignKeyViolation")
    assert writer.tallied.writer_error == 1


def test_all_rows_can_be_quarantined(connection, albums):
    outcomes = [matched(album_id, artwork_url="x" * 600) for album_id in range(1, 6)]
    writer, _ = write(connection, outcomes)
    assert albums.metadata() == {}
    assert writer.tallied == Counters(scanned=5, match=5, writer_error=5)


def test_album_waits_a_day_after_three_refusals_in_a_row(connection, albums):
    """A written row starts the count again."""
    bad = matched(1, artwork_url="x" * 600)
    for _ in range(2):
        write(connection, [bad])
    assert quarantined(albums) == [(1, "writer_error", 2, False, False)]
    write(connection, [matched(1)])
    assert quarantined(albums) == [(1, "writer_error", 2, False, True)]
    for _ in range(3):
        write(connection, [bad])
    assert quarantined(albums) == [(1, "writer_error", 3, True, False)]


def test_unexpected_index_never_makes_an_album_wait(connection, albums):
    for _ in range(4):
        write(connection, [Outcome(1, "unexpected_index", reason="r", kind="unexpected_index", payload_digest="d")])
    assert quarantined(albums) == [(1, "unexpected_index", 4, False, False)]


def test_no_match_is_recorded_with_its_names_until_a_match(connection, albums):
    write(connection, [Outcome(1, "no_match"), Outcome(2, "no_match"), Outcome(3, "error", reason="r")])
    remembered = "SELECT album_id, artist_name, album_title, run_id FROM wxyc_assets.album_no_match ORDER BY 1"
    assert albums.rows(remembered) == [(1, "artist 1", "title 1", "run"), (2, "artist 2", "title 2", "run")]
    albums.execute("UPDATE wxyc_assets.album_no_match SET asked_at = now() - interval '40 days', artist_name = 'typo'")
    write(connection, [Outcome(1, "no_match"), Outcome(2, "match")], run_id="later")
    assert albums.rows(remembered) == [(1, "artist 1", "title 1", "later")]
    assert albums.rows("SELECT now() - asked_at < interval '1 minute' FROM wxyc_assets.album_no_match") == [(True,)]


def test_extra_counters_count_once_if_a_batch_is_bisected(connection, albums):
    extra = Counters(scanned=2, skipped_unresolvable=2, batches=1, answers_untrusted=3)
    writer, _ = write(connection, [matched(1, artwork_url="x" * 600), matched(2), matched(3)], extra)
    assert (writer.tallied.scanned, writer.tallied.batches, writer.tallied.answers_untrusted) == (5, 1, 3)
    assert writer.tallied.accounted == 5


def test_tally_is_complete_only_at_the_end_of_the_shard(connection, albums):
    writer, _ = write(connection, [matched(1)])
    complete = "SELECT partition_key, complete FROM wxyc_assets.tally"
    assert albums.rows(complete) == [("1", False)]
    writer.complete()
    assert albums.rows(complete) == [("1", True)]


def test_batch_is_rolled_back_if_its_tally_cannot_be_written(connection, albums):
    albums.execute("ALTER TABLE wxyc_assets.tally RENAME TO gone")
    with pytest.raises(psycopg.errors.UndefinedTable):
        write(connection, [matched(1), Outcome(2, "no_match")])
    assert albums.metadata() == {}
    assert albums.rows("SELECT FROM wxyc_assets.album_no_match") == []


def test_batch_is_retried_after_a_deadlock(connection, albums):
    albums.execute(
        "INSERT INTO album_metadata (album_id, updated_at) SELECT i, '2020-01-01' FROM generate_series(1, 2) g (i)"
    )
    locked = threading.Event()

    def lock_2_then_1():
        with albums.postgres.connect() as other, other.transaction():
            other.execute(
                "SET LOCAL deadlock_timeout TO '20s'"
            )  # the writer detects the deadlock first and is cancelled
            other.execute("UPDATE album_metadata SET label = 'other' WHERE album_id = 2")
            locked.set()
            wait_until_blocked(albums.postgres, by=other)
            other.execute("UPDATE album_metadata SET label = 'other' WHERE album_id = 1")

    thread = threading.Thread(target=lock_2_then_1)
    thread.start()
    assert locked.wait(60)
    writer, _ = write(connection, [matched(1), matched(2)])
    thread.join()
    assert writer.tallied == Counters(scanned=2, match=2, upserts=2)
    assert albums.rows("SELECT label, release_year FROM album_metadata ORDER BY 1") == [("other", 1999)] * 2
