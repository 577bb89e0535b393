"""The ten columns of an album, made of the artwork that LML found. Pure. Source: contract/album-metadata.md, upsert."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from resources.lml.models import Artwork

SPACER_IMAGE = "spacer.gif"
"""What Discogs shows where it has no image."""

_NAMED_TAGS = tuple(re.compile(rf"\[{letter}=([^\]]+)\]") for letter in "alrm")
_LINK_TEXT = re.compile(r"([^\[]+)\[/url\]")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")


@dataclass(frozen=True, slots=True)
class AlbumRow:
    """One row of ``album_metadata``, as far as LML decides it; the fields are its columns."""

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


def derive(album_id: int, artwork: Artwork) -> AlbumRow:
    """Return the row of an album; whether it fits into the table is the table's business.

    ``discogs_url`` of a streaming-only match is the empty string, as LML has it. Links of other services are taken as they
    are: nobody makes one up.
    """
    return AlbumRow(
        album_id,
        artwork_url=image_url(artwork.artwork_url),
        discogs_url=artwork.release_url,
        release_year=artwork.release_year or None,
        spotify_url=url_on(artwork.spotify_url, "spotify.com"),
        apple_music_url=url_on(artwork.apple_music_url, "apple.com"),
        youtube_music_url=artwork.youtube_music_url,
        bandcamp_url=artwork.bandcamp_url,
        soundcloud_url=artwork.soundcloud_url,
        artist_bio=clean_bio(artwork.artist_bio or "") or None,
        artist_wikipedia_url=artwork.wikipedia_url,
    )


def image_url(url: str | None) -> str | None:
    """Return the address of a real image, None for the spacer."""
    return url if url and SPACER_IMAGE not in url else None


def url_on(url: str | None, domain: str) -> str | None:
    """Return the address if its host is ``domain`` or one below it, else None. Any scheme will do.

    What browsers and this parser could read differently is refused: backslashes, user names
    (``https://spotify.com@elsewhere``), and host names of anything but plain letters, digits and hyphens.
    """
    if not url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # a port that is none raises
    except ValueError:
        return None
    if not parts.scheme or "@" in parts.netloc or not host or not _HOST.fullmatch(host):
        return None
    return url if host == domain or host.endswith(f".{domain}") else None


def clean_bio(text: str) -> str:
    """Return a biography without Discogs' markup: ``[a=X]``, ``[l=X]``, ``[r=X]``, ``[m=X]`` as X, a link as its text.

    Nothing else changes: ``[b]``, ``[a12345]`` and line ends stay. Takes time in proportion to the text, whatever it holds.
    """
    for tag in _NAMED_TAGS:
        closed = text.rfind("]") + 1  # behind it every opening bracket would be looked at in vain, to the very end
        text = tag.sub(r"\1", text[:closed]) + text[closed:]
    return _without_links(text)


def _without_links(text: str) -> str:
    r"""Do what ``re.sub(r"\[url=([^]]+)]([^[]+)\[/url]", r"\2", text)`` does, which is quadratic on unclosed tags."""
    kept: list[str] = []
    at = 0
    while (start := text.find("[url=", at)) >= 0 and (end := text.find("]", start)) >= 0:
        link = _LINK_TEXT.match(text, end + 1) if end > start + len("[url=") else None
        kept.append(text[at:start] + link[1] if link else text[at : end + 1])
        at = link.end() if link else end + 1
    return "".join([*kept, text[at:]])
