"""What the sandbox LML finds for an album: one LookupResponse, computed from the artist and the title alone.

Pure and stable across processes. Among the answers are the odd spellings that LML is known for: a release year of 0,
the spacer image, Discogs markup in a biography, a link to another host, the streaming-only match without a release.
"""

from typing import Any, Final
from urllib.parse import quote

from wxyc_assets.sandbox.lml.verdicts import digest

_NO_MATCH_BELOW: Final = 12  # of 256: about 5 %
_STREAMING_ONLY_BELOW: Final = 16  # of 256: the next 1.5 %
_RARE_BELOW: Final = 6  # of 256: about 2 %

_NO_DEGRADATION: Final = {"timeout": False, "degraded": False}
_DEADLINE_EXCEEDED: Final = {"timeout": True, "degraded": True, "degraded_reason": "deadline_exceeded"}


def release_of(artist: str, album: str) -> str:
    """Return the cache key of the album's release."""
    return digest(f"{artist}\x1f{album}").hex()[:16]


def found(artist: str, album: str, *, extended: bool) -> dict[str, Any]:
    """Return the LookupResponse for an album that LML could look up; its ``results`` may be empty."""
    chance = digest(f"{artist}\x1f{album}")
    if chance[0] < _NO_MATCH_BELOW:
        return _response([], {"search_type": "none", "song_not_found": False} | _NO_DEGRADATION)
    artwork = _streaming_only(artist, album) if chance[0] < _STREAMING_ONLY_BELOW else _artwork(artist, album, chance)
    if extended:
        artwork |= _extension(artist, chance)
    item = {"library_item": _library_item(artist, album), "artwork": artwork}
    return _response([item], {"search_type": "direct"} | _NO_DEGRADATION)


def cut_off() -> dict[str, Any]:
    """Return the LookupResponse for an album whose caller's budget ran out before Discogs had answered."""
    return _response([], {"search_type": "none"} | _DEADLINE_EXCEEDED)


def _response(results: list[dict[str, Any]], verdict: dict[str, Any]) -> dict[str, Any]:
    return {
        "results": results,
        "song_not_found": False,
        "found_on_compilation": False,
        "degraded_reason": None,
        "context_message": None,
        "corrected_artist": None,
        "api_version": None,
        "identity": None,
    } | verdict


def _library_item(artist: str, album: str) -> dict[str, Any]:
    # The sandbox LML has no copy of the catalogue: 0 is LML's own word for "not in the catalogue".
    return {"id": 0, "call_number": "", "library_url": "", "title": album, "artist": artist, "label": None}


def _artwork(artist: str, album: str, chance: bytes) -> dict[str, Any]:
    release_id = 1 + int.from_bytes(chance[1:5], "big") % 30_000_000
    image = "spacer.gif" if chance[6] < _RARE_BELOW else f"{chance.hex()[:24]}.jpeg"
    spotify_host = "open.spotify.example" if chance[5] < _RARE_BELOW else "open.spotify.com"
    return {
        "release_id": release_id,
        "release_url": f"https://www.discogs.com/release/{release_id}",
        "album": album,
        "artist": artist,
        "artwork_url": f"https://i.discogs.com/{image}",
        "confidence": (70 + chance[7] * 30 // 255) / 100,
        "master_id": release_id // 2 if chance[8] % 2 else None,
        "release_year": 0 if chance[9] < _RARE_BELOW else 1958 + chance[9] % 66,
        "artist_bio": _biography(artist, chance[10]),
        "wikipedia_url": f"https://en.wikipedia.org/wiki/{quote(artist.replace(' ', '_'))}" if chance[11] % 3 else None,
        "spotify_url": f"https://{spotify_host}/album/{chance.hex()[:22]}" if chance[12] % 8 else None,
        "apple_music_url": f"https://music.apple.com/us/album/{release_id}" if chance[13] % 4 else None,
        "youtube_music_url": None,
        "bandcamp_url": None,
        "soundcloud_url": None,
        "streaming_status": None,
    }


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
        "spotify_url": f"https://open.spotify.com/album/{release_of(artist, album)}",
    }


def _extension(artist: str, chance: bytes) -> dict[str, Any]:
    artist_id = 1 + int.from_bytes(digest(artist)[26:30], "big") % 9_000_000
    return {
        "discogs_artist_id": artist_id,
        "tracklist": [
            {"position": f"A{i}", "title": f"Track {i}", "duration": None} for i in range(1, 2 + chance[14] % 9)
        ],
        "genres": ["Rock"],
        "styles": [],
        "label": None,
        "full_release_date": None,
        "artist_image_url": f"https://i.discogs.com/artist-{artist_id}.jpeg",
        "profile_tokens": [],
    }
