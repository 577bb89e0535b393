"""Derives what a row of an album is to hold from the artwork that LML found. Pure.

Source: contract/album-metadata.md, upsert; contract/neighbours.md, streaming verdicts.
"""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from resources.lml.models import Artwork

SPACER_IMAGE = "spacer.gif"
"""The name of the image that Discogs shows when it has none."""

_NAMED_TAGS = tuple(re.compile(rf"\[{letter}=([^\]]+)\]") for letter in "alrm")
_LINK_TEXT = re.compile(r"([^\[]*)\[/url\]")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")

StreamingStatus = Literal["verified", "absent", "unresolved"]
"""What LML says of a streaming service: it has the album at this address, it does not have it, LML could not find out."""


@dataclass(frozen=True, slots=True)
class AlbumRow:
    """What LML says of one album. None: LML says nothing of it, and the row keeps what it has."""

    album_id: int
    artwork_url: str | None
    discogs_url: str | None
    release_year: int | None
    spotify_url: str | None
    apple_music_url: str | None
    youtube_music_url: str | None
    bandcamp_url: str | None
    soundcloud_url: str | None
    artist_bio: str | None
    artist_wikipedia_url: str | None
    spotify_status: StreamingStatus | None = None
    apple_music_status: StreamingStatus | None = None
    bandcamp_status: StreamingStatus | None = None


def derive(album_id: int, artwork: Artwork, *, complete: bool = True) -> AlbumRow:
    """Return what LML says of an album. The table decides whether it accepts it.

    ``discogs_url`` of a streaming-only match is the empty string, as LML sends it. Links of the services that are not checked
    here are stored unchanged; no link is constructed. ``complete`` is False if LML could not do all of its work: then a service
    that it did not find may have the album all the same.
    """
    said = artwork.streaming_status
    spotify_link = url_on(artwork.spotify_url, "spotify.com")
    apple_link = url_on(artwork.apple_music_url, "apple.com")
    spotify_url, spotify_status = _verdict(said.get("spotify"), spotify_link, complete=complete)
    apple_url, apple_status = _verdict(said.get("apple_music"), apple_link, complete=complete)
    bandcamp_url, bandcamp_status = _verdict(said.get("bandcamp"), artwork.bandcamp_url, complete=complete)
    return AlbumRow(
        album_id,
        artwork_url=image_url(artwork.artwork_url),
        discogs_url=artwork.release_url,
        release_year=artwork.release_year or None,
        spotify_url=spotify_url,
        apple_music_url=apple_url,
        youtube_music_url=artwork.youtube_music_url,
        bandcamp_url=bandcamp_url,
        soundcloud_url=artwork.soundcloud_url,
        artist_bio=clean_bio(artwork.artist_bio or "") or None,
        artist_wikipedia_url=artwork.wikipedia_url,
        spotify_status=spotify_status,
        apple_music_status=apple_status,
        bandcamp_status=bandcamp_status,
    )


def _verdict(said: object, url: str | None, *, complete: bool) -> tuple[str | None, StreamingStatus | None]:
    """Return the link to a streaming service and what LML says of it: its status, else ``verified`` if there is a link.

    ``verified`` without a usable link says nothing, because it would protect whatever link the row has. A link beside
    ``absent`` contradicts it, and is none.
    """
    if said == "absent":
        return None, "absent" if complete else None
    if said == "unresolved":
        return url, "unresolved"
    return url, "verified" if url else None


def image_url(url: str | None) -> str | None:
    """Return the address of a real image, None for the spacer."""
    return url if url and SPACER_IMAGE not in url else None


def url_on(url: str | None, domain: str) -> str | None:
    """Return the address if its host is ``domain`` or a subdomain of it, else None. Every scheme is accepted.

    Addresses that browsers and this parser could read differently are refused: those with backslashes, with user names
    (``https://spotify.com@elsewhere``), or with a host name of other characters than plain letters, digits, underscores and
    hyphens.
    """
    if not url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # an invalid port raises
    except ValueError:
        return None
    if not parts.scheme or "@" in parts.netloc or not host or not _HOST.fullmatch(host):
        return None
    return url if host == domain or host.endswith(f".{domain}") else None


def clean_bio(text: str) -> str:
    """Return a biography without Discogs' markup: ``[a=X]``, ``[l=X]``, ``[r=X]``, ``[m=X]`` become X, a link its text, if any.

    Nothing else changes: ``[b]``, ``[a12345]`` and line ends stay. The time is linear in the length of any text.
    """
    for tag in _NAMED_TAGS:
        closed = text.rfind("]") + 1  # no tag closes after it; each opening bracket there would be scanned to the end
        text = tag.sub(r"\1", text[:closed]) + text[closed:]
    return _without_links(text)


def _without_links(text: str) -> str:
    r"""Return what ``re.sub(r"\[url=([^]]+)]([^[]*)\[/url]", r"\2", text)`` returns, in linear time.

    The expression is quadratic on unclosed tags.
    """
    parts: list[str] = []
    position = 0
    while (start := text.find("[url=", position)) >= 0 and (end := text.find("]", start)) >= 0:
        link = _LINK_TEXT.match(text, end + 1) if end > start + len("[url=") else None
        parts.append(text[position:start] + link[1] if link else text[position : end + 1])
        position = link.end() if link else end + 1
    return "".join([*parts, text[position:]])
