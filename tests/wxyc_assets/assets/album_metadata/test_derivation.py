"""Each column as the contract derives it, and each look-alike of an address that is refused."""

import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from resources.lml.models import Artwork
from wxyc_assets.assets.album_metadata.derivation import AlbumRow, clean_bio, derive, image_url, url_on


def row(**artwork):
    return derive(1, Artwork(**artwork))


def test_each_column_comes_from_its_own_field():
    derived = row(
        release_id=7,
        release_url="https://www.discogs.com/release/7",
        artwork_url="https://i.discogs.com/7.jpeg",
        release_year=1999,
        artist_bio="[a=Superchunk]",
        wikipedia_url="w",
        spotify_url="https://open.spotify.com/album/1",
        apple_music_url="https://music.apple.com/us/album/1",
        youtube_music_url="y",
        bandcamp_url="b",
        soundcloud_url="s",
    )
    assert derived == AlbumRow(
        album_id=1,
        artwork_url="https://i.discogs.com/7.jpeg",
        discogs_url="https://www.discogs.com/release/7",
        release_year=1999,
        spotify_url="https://open.spotify.com/album/1",
        apple_music_url="https://music.apple.com/us/album/1",
        youtube_music_url="y",
        bandcamp_url="b",
        soundcloud_url="s",
        artist_bio="Superchunk",
        artist_wikipedia_url="w",
        spotify_status="verified",
        apple_music_status="verified",
        bandcamp_status="verified",
    )


def test_empty_artwork_makes_a_row_of_nulls():
    assert row() == AlbumRow(1, *[None] * 10)


SERVICES = {
    "spotify": "https://open.spotify.com/album/1",
    "apple_music": "https://music.apple.com/us/album/1",
    "bandcamp": "https://superchunk.bandcamp.com/album/1",
}


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    ("said", "linked", "stored"),
    [
        (None, False, (False, None)),
        (None, True, (True, "verified")),
        ("verified", True, (True, "verified")),
        ("verified", False, (False, None)),
        ("absent", False, (False, "absent")),
        ("absent", True, (False, "absent")),
        ("unresolved", False, (False, "unresolved")),
        ("unresolved", True, (True, "unresolved")),
        ("geo-blocked", False, (False, None)),
        (["absent"], True, (True, "verified")),
    ],
)
def test_status_is_what_lml_says_else_that_of_a_link(service, said, linked, stored):
    url = SERVICES[service] if linked else None
    derived = row(streaming_status={service: said} if said else {}, **{f"{service}_url": url})
    kept, status = stored
    assert (getattr(derived, f"{service}_url"), getattr(derived, f"{service}_status")) == (
        url if kept else None,
        status,
    )


def test_link_to_another_host_verifies_nothing():
    assert row(spotify_url="https://evil.example/1", streaming_status={"spotify": "verified"}).spotify_status is None


@pytest.mark.parametrize("junk", [None, "verified", ["spotify"], 7])
def test_streaming_status_of_another_type_says_nothing(junk):
    assert row(streaming_status=junk, spotify_url=SERVICES["spotify"]).spotify_status == "verified"


def test_incomplete_lookup_does_not_say_that_an_album_is_absent():
    artwork = Artwork(streaming_status={"spotify": "absent"}, bandcamp_url=SERVICES["bandcamp"])
    derived = derive(1, artwork, complete=False)
    assert (derived.spotify_status, derived.bandcamp_status) == (None, "verified")


def test_streaming_only_match_has_an_empty_discogs_url():
    assert row(release_id=0, release_url="").discogs_url == ""


@pytest.mark.parametrize(("year", "stored"), [(0, None), (None, None), (1, 1), (-44, -44), (99999, 99999)])
def test_release_year_0_is_unknown_and_others_are_unchanged(year, stored):
    assert row(release_year=year).release_year == stored


@pytest.mark.parametrize("field", ["youtube_music_url", "bandcamp_url", "soundcloud_url"])
def test_links_without_a_host_check_are_unchanged(field):
    assert getattr(row(**{field: ""}), field) == ""
    assert getattr(row(**{field: "https://anywhere.example\\x"}), field) == "https://anywhere.example\\x"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://i.discogs.com/7.jpeg", True),
        ("https://i.discogs.com/spacer.gif", False),
        ("https://s.discogs.com/images/spacer.gif?x=1", False),
        ("https://i.discogs.com/SPACER.GIF", True),
        ("", False),
        (None, False),
    ],
)
def test_spacer_is_no_artwork(url, kept):
    assert image_url(url) == (url if kept else None)


@pytest.mark.parametrize(
    "url",
    [
        "https://open.spotify.com/album/1",
        "https://spotify.com/album/1",
        "https://a.b.spotify.com",
        "http://open.spotify.com:8080/x?y#z",
        "HTTPS://OPEN.SPOTIFY.COM/album/1",
        "ftp://open.spotify.com/x",  # every scheme is accepted
        "https://open.spotify.com/@someone/\u00e9 and more",
    ],
)
def test_address_of_the_service_or_a_subdomain_is_accepted(url):
    assert url_on(url, "spotify.com") == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "open.spotify.com/album/1",
        "//open.spotify.com/album/1",
        "/album/1",
        "spotify:album:1",
        "https:open.spotify.com/x",
        "https://",
        "https:///open.spotify.com/x",
        # Look-alikes
        "https://evilspotify.com/x",
        "https://spotify.com.evil.example/x",
        "https://open-spotify.com/x",
        "https://spotify.co/x",
        "https://open.spotify.example/x",
        "https://evil.example/spotify.com",
        "https://evil.example?u=.spotify.com",
        "https://evil.example?.spotify.com",
        "https://evil.example#.spotify.com",
        "https://evil.example;.spotify.com",
        "https://evil.example%2f.spotify.com/x",
        "https://evil.example\uff0f.spotify.com/x",
        "https://op\u0435n.spotify.com/x",
        "https://\u24e2potify.com/x",
        "https://open.spotify.com./x",
        "https://.spotify.com/x",
        "https://open..spotify.com/x",
        # User names
        "https://open.spotify.com@evil.example/x",
        "https://open.spotify.com:443@evil.example/x",
        "https://evil.example@open.spotify.com/x",
        "https://user:password@open.spotify.com/x",
        "https://@open.spotify.com/x",
        # Backslashes, and blanks and controls in the host
        "https://evil.example\\.spotify.com/x",
        "https://evil.example\\@open.spotify.com/x",
        "https:\\\\open.spotify.com\\x",
        "https://open.spotify.com/x\\y",
        "https://evil.example .spotify.com/x",
        "https://evil.example\x00.spotify.com/x",
        # Unparsable
        "https://open.spotify.com:port/x",
        "https://open.spotify.com:99999/x",
        "https://[::1/x",
        "https://[open.spotify.com]/x",
    ],
)
def test_any_other_address_is_refused(url):
    assert url_on(url, "spotify.com") is None


def test_each_service_accepts_only_its_own_host():
    swapped = row(spotify_url="https://music.apple.com/us/album/1", apple_music_url="https://open.spotify.com/album/1")
    assert (swapped.spotify_url, swapped.apple_music_url) == (None, None)


@given(st.text(alphabet="abc.:/@\\?#[]% \t\u3002", max_size=20))
def test_prefix_of_the_host_is_refused_unless_a_subdomain(prefix):
    kept = url_on(f"https://{prefix}spotify.com/x", "spotify.com")
    assert (kept is None) or re.fullmatch(r"([a-c]+\.)*", prefix.replace("\t", ""))  # browsers ignore a tab too


@pytest.mark.parametrize(
    ("bio", "clean"),
    [
        (
            "[a=Superchunk] of [l=Sub Pop], [r=A Record] and [m=A Master]",
            "Superchunk of Sub Pop, A Record and A Master",
        ),
        ("see [url=https://x.example]their page[/url].", "see their page."),
        ("[url=https://x.example][a=Superchunk][/url]", "Superchunk"),  # the link is removed after the tag in its text
        ("[url=https://x.example][b]bold[/b][/url]", "[url=https://x.example][b]bold[/b][/url]"),
        ("[url=https://x.example][/url]", ""),
        ("by [url=https://x.example][/url][url=y][/url].", "by ."),
        ("[url=]text[/url]", "[url=]text[/url]"),
        ("[url=a]b[url=c]d[/url]", "[url=a]bd"),
        ("[b]bold[/b] [i]it[/i] [a12345] [l] [x=y]", "[b]bold[/b] [i]it[/i] [a12345] [l] [x=y]"),
        ("[A=Loud] [URL=x]y[/URL]", "[A=Loud] [URL=x]y[/URL]"),
        ("[a=]", "[a=]"),
        ("[a=one [b] two]", "one [b two]"),
        ("[a=unclosed", "[a=unclosed"),
        ("[l=[a=Inner]]", "Inner"),
        ("[a=two\nlines]\r\n", "two\nlines\r\n"),
        ("", ""),
    ],
)
def test_only_discogs_markup_is_removed(bio, clean):
    assert clean_bio(bio) == clean


def clean_bio_by_the_contract(text):
    """The contract's five expressions, one after the other; a link without text becomes nothing."""
    for tag in "alrm":
        text = re.sub(rf"\[{tag}=([^\]]+)\]", r"\1", text)
    return re.sub(r"\[url=([^\]]+)\]([^\[]*)\[/url\]", r"\2", text)


@given(
    st.lists(st.sampled_from(["[a=", "[l=", "[r=", "[m=", "[url=", "[/url]", "]", "[", "/url]", "x", " ", "\n"])).map(
        "".join
    )
)
@example("[url=]]x[/url]")
@example("[url=[a=]x]y[/url]")
def test_cleaning_equals_the_contracts_expressions(text):
    assert clean_bio(text) == clean_bio_by_the_contract(text)


@pytest.mark.parametrize("piece", ["[a=", "[url=", "[url=x]", "[url=x]y[", "]", "[m=x]["])
@pytest.mark.parametrize("end", ["", "]", "]x[", "[/url]"])
def test_cleaning_time_is_linear(piece, end):
    """The contract's expressions take quadratic time for texts with unclosed tags."""
    began = time.process_time()
    clean_bio(piece * 200_000 + end)
    assert time.process_time() - began < 20


@pytest.mark.parametrize("bio", ["", None])
def test_empty_biography_is_null(bio):
    assert row(artist_bio=bio).artist_bio is None
