"""A row of album_metadata is merged with LML's answer: links and verdicts against the row as it is when written."""

import itertools
import threading

import pytest

from resources.lml.models import Artwork
from tests.blocked_sessions import wait_until_blocked
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.derivation import derive
from wxyc_assets.assets.album_metadata.verdicts import Album, Outcome
from wxyc_assets.assets.album_metadata.writer import ShardWriter

SERVICES = {
    "spotify": "https://open.spotify.com",
    "apple_music": "https://music.apple.com",
    "bandcamp": "https://x.example",
}
STATUSES = (None, "verified", "absent", "unresolved")
SEARCH = "https://open.spotify.com/search/superchunk"


@pytest.fixture
def connection(albums):
    with albums.postgres.connect() as connection:
        yield connection


def store(connection, album_id=1, **columns):
    """Store a row as another writer did a day ago."""
    columns = {"album_id": album_id, "updated_at": "2020-01-01", **columns}
    names = ", ".join(columns)
    values = ", ".join(f"%({name})s" for name in columns)
    connection.execute(f"INSERT INTO album_metadata ({names}) VALUES ({values})", columns)


def write(connection, *artworks):
    """Write the answers about albums 1, 2 and so on; return the counters."""
    outcomes = [Outcome(place, "match", row=derive(place, Artwork(**one))) for place, one in enumerate(artworks, 1)]
    writer = ShardWriter(connection, "run", 1)
    writer.write([Album(one.album_id, "artist", "title") for one in outcomes], outcomes, Counters())
    return writer.tallied


def row(connection, *columns, album_id=1):
    query = f"SELECT {', '.join(columns)} FROM album_metadata WHERE album_id = %s"
    return connection.execute(query, [album_id]).fetchone()


def merged(had, said):
    """The contract's matrix: the status that the row has after a verdict, and whether the link is the verdict's."""
    if had == "verified" or said is None:
        return had, False
    if said == "verified":
        return "verified", True
    return (had if had == "absent" else said), False


@pytest.mark.parametrize("service", SERVICES)
def test_verdicts_merge_by_the_contracts_matrix(connection, service):
    """Apple Music's link is also erased if the album is absent, unless it was verified."""
    url, status = f"{service}_url", f"{service}_status"
    old, new = f"{SERVICES[service]}/old", f"{SERVICES[service]}/new"
    cells = list(itertools.product(STATUSES, STATUSES))
    for album_id, (had, _) in enumerate(cells, 1):
        store(connection, album_id, discogs_url="d", **{url: old, status: had})
    write(
        connection,
        *(
            {url: new if said == "verified" else None, "streaming_status": {service: said} if said else {}}
            for _, said in cells
        ),
    )
    for album_id, (had, said) in enumerate(cells, 1):
        merged_status, takes_link = merged(had, said)
        erased = service == "apple_music" and said == "absent" and had != "verified"
        link = None if erased else new if takes_link else old
        assert row(connection, url, status, album_id=album_id) == (link, merged_status), (had, said)


@pytest.mark.parametrize("service", SERVICES)
def test_link_that_lml_could_not_verify_replaces_no_link(connection, service):
    url = f"{service}_url"
    for album_id, link in ((1, f"{SERVICES[service]}/old"), (2, None)):
        store(connection, album_id, **{url: link})
    unresolved = {url: f"{SERVICES[service]}/new", "streaming_status": {service: "unresolved"}}
    write(connection, unresolved, unresolved)
    assert row(connection, url) == (f"{SERVICES[service]}/old",)
    assert row(connection, url, album_id=2) == (f"{SERVICES[service]}/new",)


LINKS = {
    "artwork_url": "artwork_url",
    "discogs_url": "release_url",
    "youtube_music_url": "youtube_music_url",
    "soundcloud_url": "soundcloud_url",
    "artist_wikipedia_url": "wikipedia_url",
    "artist_bio": "artist_bio",
}


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_lml_says_nothing_of_stays(connection, nothing):
    for album_id in (1, 2):
        store(connection, album_id, **dict.fromkeys(LINKS, "https://old.example"))
    write(connection, dict.fromkeys(LINKS.values(), nothing), dict.fromkeys(LINKS.values(), "https://new.example"))
    assert set(row(connection, *LINKS)) == {"https://old.example"}
    assert set(row(connection, *LINKS, album_id=2)) == {"https://new.example"}


def test_unknown_year_and_spacer_image_erase_nothing(connection):
    store(connection, release_year=1999, artwork_url="https://i.discogs.com/7.jpeg")
    write(connection, {"release_year": 0, "artwork_url": "https://i.discogs.com/spacer.gif"})
    assert row(connection, "release_year", "artwork_url") == (1999, "https://i.discogs.com/7.jpeg")


def test_columns_that_lml_is_not_asked_for_never_change(connection):
    store(
        connection, discogs_artist_id=9, label="Merge", full_release_date="1999", genres=["Rock"], styles=["Indie"],
        tracklist="[1]", artist_image_url="i", bio_tokens="[2]",
    )  # fmt: skip
    others = (
        "discogs_artist_id", "label", "full_release_date", "genres", "styles", "tracklist", "artist_image_url",
        "bio_tokens",
    )  # fmt: skip
    before = row(connection, *others)
    write(connection, {"release_url": "new", "artwork_url": "new"})
    assert row(connection, *others) == before


def test_reask_is_counted_only_if_the_row_was_populated(connection):
    rows = [({}, 2), ({"spotify_url": SEARCH}, 2), ({"artwork_url": "a"}, 3), ({"discogs_url": "d"}, 3)]
    for album_id, (had, _) in enumerate(rows, 1):
        store(connection, album_id, streaming_reask_attempts=2, **had)
    write(connection, *[{"release_url": "new"}] * 5)
    for album_id, attempts in enumerate([*(attempts for _, attempts in rows), 0], 1):
        assert row(connection, "streaming_reask_attempts", album_id=album_id) == (attempts,)


def test_match_replaces_a_shell_of_search_links(connection):
    store(
        connection,
        spotify_url=SEARCH,
        youtube_music_url="https://music.youtube.com/search?q=x",
        updated_at="2999-01-01",
    )
    tallied = write(
        connection,
        {"release_url": "new", "artwork_url": "a", "spotify_url": "https://open.spotify.com/album/7"},
    )
    assert tallied == Counters(scanned=1, match=1, upserts=1)
    assert row(connection, "artwork_url", "spotify_url", "spotify_status", "youtube_music_url", "updated_at::text") == (
        "a", "https://open.spotify.com/album/7", "verified", "https://music.youtube.com/search?q=x", "2999-01-01 00:00:00+00",
    )  # fmt: skip


def test_newer_row_with_a_match_stays_and_is_counted_apart(connection):
    store(connection, 1, artwork_url="newer", updated_at="2999-01-01")
    store(connection, 2, artwork_url="older")
    tallied = write(connection, *[{"artwork_url": "ours"}] * 3)
    assert [row(connection, "artwork_url", album_id=one) for one in (1, 2, 3)] == [("newer",), ("ours",), ("ours",)]
    assert tallied == Counters(scanned=3, match=3, upserts=2, rows_kept_newer=1)


@pytest.mark.parametrize(("age", "kept"), [("0", True), ("1 microsecond", False)])
def test_row_stamped_when_the_transaction_began_is_newer(connection, age, kept):
    with connection.transaction():
        store(connection, artwork_url="theirs")
        connection.execute("UPDATE album_metadata SET updated_at = now() - %s::interval", [age])
        tallied = write(connection, {"artwork_url": "ours"})
    assert row(connection, "artwork_url") == ("theirs" if kept else "ours",)
    assert (tallied.rows_kept_newer, tallied.upserts) == ((1, 0) if kept else (0, 1))


def test_row_is_merged_as_it_is_when_written(connection, albums):
    """Another session verifies a link after the run has begun to write, and commits while the run waits for the row."""
    store(connection, spotify_url=SEARCH, spotify_status="unresolved", discogs_url="d")
    with albums.postgres.connect() as other:
        other.execute("BEGIN")
        other.execute(
            "UPDATE album_metadata SET spotify_url = 'verified', spotify_status = 'verified' WHERE album_id = 1"
        )
        writing = threading.Thread(target=write, args=(connection, {"spotify_url": "https://open.spotify.com/album/7"}))
        writing.start()
        wait_until_blocked(albums.postgres, by=other)
        other.execute("COMMIT")
        writing.join()
    assert row(connection, "spotify_url", "spotify_status") == ("verified", "verified")


def test_replaced_row_is_kept_as_another_writer_left_it(connection, albums):
    """It commits while the run waits for the row."""
    store(connection, discogs_url="old")
    with albums.postgres.connect() as other:
        other.execute("BEGIN")
        other.execute("UPDATE album_metadata SET discogs_url = 'other' WHERE album_id = 1")
        writing = threading.Thread(target=write, args=(connection, {"release_url": "new"}))
        writing.start()
        wait_until_blocked(albums.postgres, by=other)
        other.execute("COMMIT")
        writing.join()
    assert row(connection, "discogs_url") == ("new",)
    assert albums.rows("SELECT before ->> 'discogs_url' FROM wxyc_assets.replaced_album") == [("other",)]
