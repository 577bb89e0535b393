"""One batch is one transaction: rows, memory, quarantine and the tally that counts them; a refused row is left out alone."""

import threading
import time

import psycopg
import pytest

from resources.lml.models import Artwork
from tests.wxyc_assets.album_metadata.arbitrary_lml import artwork
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.derivation import derive
from wxyc_assets.album_metadata.verdicts import Album, Outcome
from wxyc_assets.album_metadata.writer import ShardWriter

NOTHING = Counters()


@pytest.fixture
def connection(played):
    with played.postgres.connect() as connection:
        yield connection


def matched(album_id, **fields):
    return Outcome(album_id, "match", row=derive(album_id, Artwork(**{**artwork(), **fields})))


def write(connection, outcomes, beside=NOTHING, *, run_id="run", writer=None):
    writer = writer or ShardWriter(connection, run_id, 1)
    albums = [Album(one.album_id, f"artist {one.album_id}", f"title {one.album_id}") for one in outcomes]
    return writer, writer.write(albums, outcomes, beside)


def quarantine(played):
    return played.rows(
        "SELECT input_id, kind, failures, wait_until IS NOT NULL, resolved_at IS NOT NULL FROM wxyc_assets.quarantine "
        "WHERE asset = 'album_metadata' ORDER BY 1, 2"
    )


def test_each_row_has_the_ten_columns_and_the_moment_of_writing(connection, played):
    writer, _ = write(connection, [matched(1), matched(2, release_year=0, spotify_url="https://evil.example")])
    assert played.metadata() == {
        1: (
            "https://i.discogs.com/7.jpeg",
            "https://www.discogs.com/release/7",
            1999,
            "https://open.spotify.com/album/7",
            "https://music.apple.com/us/album/7",
            None,
            "https://somebody.bandcamp.com/album/7",
            None,
            "Somebody of Sub Pop.",
            "https://en.wikipedia.org/wiki/Somebody",
        ),
        2: (
            "https://i.discogs.com/7.jpeg",
            "https://www.discogs.com/release/7",
            None,
            None,
            "https://music.apple.com/us/album/7",
            None,
            "https://somebody.bandcamp.com/album/7",
            None,
            "Somebody of Sub Pop.",
            "https://en.wikipedia.org/wiki/Somebody",
        ),
    }
    assert played.rows("SELECT now() - max(updated_at) < interval '1 minute' FROM album_metadata") == [(True,)]
    assert writer.tallied == Counters(scanned=2, match=2, upserts=2)


def test_nulls_erase_and_columns_that_are_not_ours_are_never_touched(connection, played):
    played.execute(
        "INSERT INTO album_metadata (album_id, artwork_url, bandcamp_url, artist_bio, updated_at, discogs_artist_id, label, "
        "full_release_date, genres, styles, tracklist, artist_image_url, bio_tokens, spotify_status, apple_music_status, "
        "bandcamp_status, streaming_reask_attempts) VALUES (1, 'old', 'old', 'old', now() - interval '1 day', 9, 'Merge', "
        "'1999', '{Rock}', '{Indie}', '[1]', 'i', '[2]', 's', 'a', 'b', 3)"
    )
    ours = (
        "to_jsonb(m) - ARRAY['artwork_url', 'discogs_url', 'release_year', 'spotify_url', 'apple_music_url', "
        "'youtube_music_url', 'bandcamp_url', 'soundcloud_url', 'artist_bio', 'artist_wikipedia_url', 'updated_at']"
    )
    others = played.rows(f"SELECT {ours} FROM album_metadata m")
    write(connection, [Outcome(1, "match", row=derive(1, Artwork(release_url="new")))])
    assert played.metadata() == {1: (None, "new", *[None] * 8)}
    assert played.rows(f"SELECT {ours} FROM album_metadata m") == others


def test_a_row_that_was_stamped_after_we_began_stays_and_is_counted_apart(connection, played):
    played.execute(
        "INSERT INTO album_metadata (album_id, artwork_url, updated_at) VALUES "
        "(1, 'newer', now() + interval '1 h'), (2, 'older', now() - interval '1 h')"
    )
    writer, _ = write(connection, [matched(1), matched(2), matched(3)])
    assert {album_id: row[0] for album_id, row in played.metadata().items()} == {
        1: "newer",
        2: "https://i.discogs.com/7.jpeg",
        3: "https://i.discogs.com/7.jpeg",
    }
    assert writer.tallied == Counters(scanned=3, match=3, upserts=2, rows_kept_newer=1)


REFUSED = {
    "a URL of 513 characters": {"soundcloud_url": "https://x.example/" + "x" * 495},
    "a URL of 600 characters": {"artwork_url": "x" * 600},
    "a year that no smallint holds": {"release_year": 40_000},
    "a year that no integer holds": {"release_year": 10**30},
    "a NUL": {"artist_bio": "half\0bio"},
    "half a surrogate pair": {"artist_bio": "half \ud800"},
}


@pytest.mark.parametrize("fields", REFUSED.values(), ids=REFUSED)
def test_a_row_that_the_table_refuses_is_quarantined_with_its_reason_and_its_siblings_are_written(
    connection, played, fields
):
    outcomes = [matched(album_id) for album_id in range(1, 8)]
    outcomes[4] = Outcome(5, "match", row=derive(5, Artwork.model_construct(**{**artwork(), **fields})))
    writer, written = write(connection, outcomes, Counters(batches=1, lml_total_calls=1))
    assert sorted(played.metadata()) == [1, 2, 3, 4, 6, 7]
    assert writer.tallied == Counters(scanned=7, match=7, upserts=6, writer_error=1, batches=1, lml_total_calls=1)
    assert played.tallied("run") == writer.tallied.stored()
    assert quarantine(played) == [(5, "writer_error", 1, False, False)]
    ((reason, digest),) = played.rows("SELECT reason, payload_digest FROM wxyc_assets.quarantine")
    assert reason == written[4].reason[:2000].replace("\ud800", "?")
    assert reason.partition(":")[0] in {
        "StringDataRightTruncation",
        "NumericValueOutOfRange",
        "UntranslatableCharacter",
        "InvalidTextRepresentation",
    }
    assert len(digest) == 64
    assert [one.bucket for one in written] == ["match"] * 7


def test_a_url_of_512_characters_fits(connection, played):
    write(connection, [matched(1, bandcamp_url="x" * 512)])
    assert len(played.metadata()[1][6]) == 512


def test_an_album_that_is_gone_costs_nobody_else(connection, played):
    writer, written = write(connection, [matched(1), matched(9999), matched(2)])
    assert sorted(played.metadata()) == [1, 2]
    assert written[1].reason.startswith("ForeignKeyViolation")
    assert writer.tallied.writer_error == 1


def test_every_row_refused_is_every_row_quarantined(connection, played):
    outcomes = [matched(album_id, artwork_url="x" * 600) for album_id in range(1, 6)]
    writer, _ = write(connection, outcomes)
    assert played.metadata() == {}
    assert writer.tallied == Counters(scanned=5, match=5, writer_error=5)


def test_a_row_that_is_refused_three_times_waits_a_day_and_one_that_is_taken_starts_anew(connection, played):
    bad = matched(1, artwork_url="x" * 600)
    for _ in range(2):
        write(connection, [bad])
    assert quarantine(played) == [(1, "writer_error", 2, False, False)]
    write(connection, [matched(1)])
    assert quarantine(played) == [(1, "writer_error", 2, False, True)]
    for _ in range(3):
        write(connection, [bad])
    assert quarantine(played) == [(1, "writer_error", 3, True, False)]


def test_a_foreign_index_never_makes_an_album_wait(connection, played):
    for _ in range(4):
        write(connection, [Outcome(1, "unexpected_index", reason="r", kind="unexpected_index", payload_digest="d")])
    assert quarantine(played) == [(1, "unexpected_index", 4, False, False)]


def test_an_unknown_album_is_remembered_under_the_names_it_was_asked_and_forgotten_once_it_is_known(connection, played):
    write(connection, [Outcome(1, "no_match"), Outcome(2, "no_match"), Outcome(3, "error", reason="r")])
    remembered = "SELECT album_id, artist_name, album_title, run_id FROM wxyc_assets.album_no_match ORDER BY 1"
    assert played.rows(remembered) == [(1, "artist 1", "title 1", "run"), (2, "artist 2", "title 2", "run")]
    played.execute("UPDATE wxyc_assets.album_no_match SET asked_at = now() - interval '40 days', artist_name = 'typo'")
    write(connection, [Outcome(1, "no_match"), Outcome(2, "match")], run_id="later")
    assert played.rows(remembered) == [(1, "artist 1", "title 1", "later")]
    assert played.rows("SELECT now() - asked_at < interval '1 minute' FROM wxyc_assets.album_no_match") == [(True,)]


def test_what_is_beside_the_outcomes_is_counted_once_also_when_a_batch_is_taken_apart(connection, played):
    beside = Counters(scanned=2, skipped_unresolvable=2, batches=1, answers_untrusted=3)
    writer, _ = write(connection, [matched(1, artwork_url="x" * 600), matched(2), matched(3)], beside)
    assert (writer.tallied.scanned, writer.tallied.batches, writer.tallied.answers_untrusted) == (5, 1, 3)
    assert writer.tallied.accounted == 5


def test_a_tally_is_complete_only_once_the_shard_was_walked_to_its_end(connection, played):
    writer, _ = write(connection, [matched(1)])
    complete = "SELECT partition_key, complete FROM wxyc_assets.tally"
    assert played.rows(complete) == [("1", False)]
    writer.complete()
    assert played.rows(complete) == [("1", True)]


def test_nothing_of_a_batch_stays_when_its_tally_cannot_be_written(connection, played):
    played.execute("ALTER TABLE wxyc_assets.tally RENAME TO gone")
    with pytest.raises(psycopg.errors.UndefinedTable):
        write(connection, [matched(1), Outcome(2, "no_match")])
    assert played.metadata() == {}
    assert played.rows("SELECT FROM wxyc_assets.album_no_match") == []


def test_a_batch_that_deadlocks_with_another_writer_is_written_again(connection, played):
    played.execute(
        "INSERT INTO album_metadata (album_id, updated_at) SELECT i, '2020-01-01' FROM generate_series(1, 2) g (i)"
    )
    both_hold = threading.Barrier(2)

    def cross():
        with played.postgres.connect() as other, other.transaction():
            other.execute("SET LOCAL deadlock_timeout TO '10s'")  # it is ours that is chosen
            other.execute("UPDATE album_metadata SET label = 'other' WHERE album_id = 2")
            both_hold.wait()
            time.sleep(0.2)
            other.execute("UPDATE album_metadata SET label = 'other' WHERE album_id = 1")

    thread = threading.Thread(target=cross)
    thread.start()
    both_hold.wait()
    writer, _ = write(connection, [matched(1), matched(2)])
    thread.join()
    assert writer.tallied == Counters(scanned=2, match=2, upserts=2)
    assert played.rows("SELECT label, release_year FROM album_metadata ORDER BY 1") == [("other", 1999)] * 2
