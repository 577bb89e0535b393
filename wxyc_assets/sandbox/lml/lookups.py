"""Builds the LookupResponse of an album from its artist and title alone.

Pure and stable across processes. The answers include the odd values that the real LML returns: a release year of 0,
the spacer image, Discogs markup in a biography, a link to another host, the streaming-only match without a release.
"""

from typing import Any, Final
from urllib.parse import quote

from wxyc_assets.sandbox.lml.verdicts import digest

_NO_MATCH_BELOW: Final = 12  # of 256: about 5 %
_STREAMING_ONLY_BELOW: Final = 16  # of 256: the next 1.5 %
_RARE_BELOW: Final = 6  # of 256: about 2 %

_NO_DEGRADATION: Final = {"timeout": False, "degraded": False}


def release_key(artist: str, album: str) -> str:
    """Return the cache key of the album's release."""
    return digest(f"{artist}\x1f{album}").hex()[:16]


def lookup_response(artist: str, album: str, *, extended: bool) -> dict[str, Any]:
    """Return the LookupResponse for an album that LML looked up; its ``results`` may be empty."""
    hashed = digest(f"{artist}\x1f{album}")
    if hashed[0] < _NO_MATCH_BELOW:
        return _response([], {"search_type": "none", "song_not_found": False} | _NO_DEGRADATION)
    artwork = _streaming_only(artist, album) if hashed[0] < _STREAMING_ONLY_BELOW else _artwork(artist, album, hashed)
    if extended:
        artwork |= _extension(artist, hashed)
    item = {"library_item": _library_item(artist, album), "artwork": artwork}
    return _response([item], {"search_type": "direct"} | _NO_DEGRADATION)


def degraded_response(reason: str) -> dict[str, Any]:
    """Return the LookupResponse for an album that LML could not look up."""
    timeout = reason == "deadline_exceeded"
    return _response([], {"search_type": "none", "timeout": timeout, "degraded": True, "degraded_reason": reason})


def _response(results: list[dict[str, Any]], outcome: dict[str, Any]) -> dict[str, Any]:
    return {
        "results": results,
        "song_not_found": False,
        "found_on_compilation": False,
        "degraded_reason": None,
        "context_message": None,
        "corrected_artist": None,
        "api_version": None,
        "identity": None,
    } | outcome


def _library_item(artist: str, album: str) -> dict[str, Any]:
    # The sandbox LML has no copy of the catalogue: LML returns 0 for an album that is not in the catalogue.
    return {"id": 0, "call_number": "", "library_url": "", "title": album, "artist": artist, "label": None}


def _artwork(artist: str, album: str, hashed: bytes) -> dict[str, Any]:
    release_id = 1 + int.from_bytes(hashed[1:5], "big") % 30_000_000
    image = "spacer.gif" if hashed[6] < _RARE_BELOW else f"{hashed.hex()[:24]}.jpeg"
    spotify = f"https://{_spotify_host(hashed)}/album/{hashed.hex()[:22]}" if hashed[12] % 8 else None
    apple_music = f"https://music.apple.com/us/album/{release_id}" if hashed[13] % 4 else None
    return {
        "release_id": release_id,
        "release_url": f"https://www.discogs.com/release/{release_id}",
        "album": album,
        "artist": artist,
        "artwork_url": f"https://i.discogs.com/{image}",
        "confidence": (70 + hashed[7] * 30 // 255) / 100,
        "master_id": release_id // 2 if hashed[8] % 2 else None,
        "release_year": 0 if hashed[9] < _RARE_BELOW else 1958 + hashed[9] % 66,
        "artist_bio": _biography(artist, hashed[10]),
        "wikipedia_url": f"https://en.wikipedia.org/wiki/{quote(artist.replace(' ', '_'))}" if hashed[11] % 3 else None,
        "spotify_url": spotify,
        "apple_music_url": apple_music,
        "youtube_music_url": None,
        "bandcamp_url": None,
        "soundcloud_url": None,
        "streaming_status": _streaming_status(spotify, apple_music, hashed) if hashed[15] % 4 else None,
    }


def _spotify_host(hashed: bytes) -> str:
    return "open.spotify.example" if hashed[5] < _RARE_BELOW else "open.spotify.com"


def _streaming_status(spotify: str | None, apple_music: str | None, hashed: bytes) -> dict[str, str]:
    """Return what LML found out about each service; it does not always find out, and then says nothing of Bandcamp."""
    missing = "absent" if hashed[16] % 3 else "unresolved"
    said = {"spotify": "verified" if spotify else missing, "apple_music": "verified" if apple_music else missing}
    return said | ({"bandcamp": missing} if hashed[17] % 2 else {})


def _biography(artist: str, byte: int) -> str | None:
    if byte % 4 == 0:
        return None
    return f"[a={artist}] recorded for [l=Sub Pop]. See [url=https://example.org/{byte}]their page[/url]."


def _streaming_only(artist: str, album: str) -> dict[str, Any]:
    return {
        "release_id": 0,
        "release_url": "",
        "album": album,
        "artist": artist,
        "artwork_url": None,
        "confidence": 0,
        "spotify_url": f"https://open.spotify.com/album/{release_key(artist, album)}",
    }


def _extension(artist: str, hashed: bytes) -> dict[str, Any]:
    artist_id = 1 + int.from_bytes(digest(artist)[26:30], "big") % 9_000_000
    return {
        "discogs_artist_id": artist_id,
        "tracklist": [
            {"position": f"A{i}", "title": f"Track {i}", "duration": None} for i in range(1, 2 + hashed[14] % 9)
        ],
        "genres": ["Rock"],
        "styles": [],
        "label": None,
        "full_release_date": None,
        "artist_image_url": f"https://i.discogs.com/artist-{artist_id}.jpeg",
        "profile_tokens": [],
    }
