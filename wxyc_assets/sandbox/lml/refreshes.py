"""Identities of the sandbox LML: how it mints them, the Discogs calls of a refresh, and the answer of a refresh.

Pure. Minted ids lie below ``MINTED_BELOW``. A refresh warms every positive id below ``NOT_IMPLEMENTED_FROM``. The ids
above it have the other statuses, so that a test can request the status that it needs.
"""

import re
from typing import Any, Final
from urllib.parse import urlsplit

from wxyc_assets.sandbox.lml.verdicts import digest

MINTED_BELOW: Final = 1 << 30
NOT_IMPLEMENTED_FROM: Final = 1_800_000_000
ERROR_FROM: Final = 1_900_000_000
NOT_FOUND_FROM: Final = 2_000_000_000

_SPREAD: Final = 0x9E3779B1  # odd, so that multiplying by it modulo a power of two never maps two releases to one id
_TOMBSTONE_EVERY: Final = 50
_MOST_ARTISTS: Final = 3

SOURCES: Final = ("discogs_release", "discogs_master", "bandcamp", "apple_music_album")


def mint(source: str, external_id: str) -> int:
    """Return the identity of a release, the same one every time.

    Two Discogs releases never share an identity. Raises ValueError with the reason for an unknown source, a Discogs id
    that is not a positive number below 2**30, or a page that is not an http(s) URL.
    """
    if source not in SOURCES:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}")
    if source.startswith("discogs"):
        if re.fullmatch(r"[0-9]{1,10}", external_id) is None or not 0 < int(external_id) < MINTED_BELOW:
            raise ValueError("external_id must be a positive Discogs id in decimal digits")
        if source == "discogs_release":
            return int(external_id) * _SPREAD % MINTED_BELOW
    elif not _is_url(external_id):
        raise ValueError("external_id must be an http or https URL")
    return 1 + int.from_bytes(digest(f"{source} {external_id}")[:4], "big") % (MINTED_BELOW - 1)


def discogs_calls(identity_id: int) -> int:
    """Return the number of Discogs calls that warm this identity: one for its release, one for each artist."""
    if not 1 <= identity_id < NOT_IMPLEMENTED_FROM:
        return 0
    return 1 + len(_artist_ids(identity_id))


def refresh_answer(identity_id: int) -> dict[str, Any]:
    """Return the refresh answer for an identity after its Discogs calls, if it needs any."""
    if not 1 <= identity_id < NOT_FOUND_FROM:
        return _answer(identity_id, "not_found", None)
    if identity_id >= ERROR_FROM:
        return failed_answer(identity_id, "Discogs answered 500")
    if identity_id >= NOT_IMPLEMENTED_FROM:
        sources = {"bandcamp": _source("not_implemented", [], "bandcamp is not refreshed yet")}
        return _answer(identity_id, "not_implemented", sources)
    artists = [
        {"external_id": str(artist_id), "outcome": "success", "message": None} for artist_id in _artist_ids(identity_id)
    ]
    if artists and identity_id % 7 == 0:  # a failed artist does not change its release's outcome
        artists[-1] |= {"outcome": "error", "message": "Discogs answered 502"}
    sources = {"discogs": _source("success", artists, None)}
    if identity_id % 5 == 0:
        sources["bandcamp"] = _source("not_implemented", [], "bandcamp is not refreshed yet")
    return _answer(identity_id, "warmed", sources)


def failed_answer(identity_id: int, reason: str) -> dict[str, Any]:
    """Return the refresh answer for an identity when all its sources failed."""
    return _answer(identity_id, "error", {"discogs": _source("error", [], reason)})


def _answer(identity_id: int, status: str, sources: dict[str, Any] | None) -> dict[str, Any]:
    return {"identity_id": identity_id, "status": status, "sources": sources, "message": None}


def _source(release_outcome: str, artists: list[dict[str, Any]], message: str | None) -> dict[str, Any]:
    return {"release_outcome": release_outcome, "artists": artists, "message": message}


def _artist_ids(identity_id: int) -> list[int]:
    if identity_id % _TOMBSTONE_EVERY == 0:  # Discogs has deleted the release: a success without artists
        return []
    hashed = digest(f"identity {identity_id}")
    return [
        1 + int.from_bytes(hashed[i : i + 4], "big") % 9_000_000
        for i in range(0, 4 + 4 * (hashed[31] % _MOST_ARTISTS), 4)
    ]


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
