"""Builds the verdict on one library from its artist name and album title alone.

Pure and stable across processes, so that a test can predict an answer, and cheap enough (a few microseconds) for
benchmarks. Ids belong to the artist: all libraries of an artist have the same ids.
"""

import re
from hashlib import blake2b
from typing import Any, Final

# method, lowest and highest confidence of its documented band in hundredths, share out of 256
_BANDS: Final = (
    ("exact_match", 100, 100, 134),
    ("name_variation", 90, 99, 50),
    ("alias_match", 75, 84, 22),
    ("trigram", 70, 95, 22),
    ("member_group", 80, 89, 14),
    ("llm", 60, 79, 10),
    ("manual", 100, 100, 4),
)
# One method and confidence for each byte, spread over the band of the method. It is a table for speed: a page has
# thousands of entries.
_MATCHES: Final = tuple(
    (method, (lowest + (highest - lowest) * i // max(1, share - 1)) / 100)
    for method, lowest, highest, share in _BANDS
    for i in range(share)
)
_AGREEMENTS: Final = tuple((90 + byte * 10 // 255) / 100 for byte in range(256))

_UNRESOLVED_BELOW: Final = 8  # of 256: about 3 %
_AGREEMENT_BELOW: Final = 64  # of 256: a quarter of the artists that several sources know

# The card catalogue files these under the artist name. "Various Production" is a band, so a leading "various" alone does
# not make a compilation.
_COMPILATION: Final = re.compile(
    r"\s*(?:various artists?\b|various\s*$|v/?a\s*$|(?:original )?(?:motion picture )?soundtracks?\b|original cast\b)",
    re.IGNORECASE,
)
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")

# source, its field in ReconciledIdentity, share out of 256 of the artists that it knows
_OTHER_SOURCES: Final = (
    ("musicbrainz", "musicbrainz_artist_id", 220),
    ("wikidata", "wikidata_qid", 150),
    ("spotify", "spotify_artist_id", 230),
    ("apple_music", "apple_music_artist_id", 180),
    ("bandcamp", "bandcamp_id", 100),
)


def is_compilation(artist_name: str) -> bool:
    """Whether the name is a card for many artists ("Various Artists - Rock", "Soundtracks - A")."""
    return _COMPILATION.match(artist_name) is not None


def verdict(library_id: int, artist_name: str, album_title: str, *, include_tracks: bool = False) -> dict[str, Any]:
    """Return one item of the ``results`` of POST /api/v1/identity/bulk-resolve-libraries, a new dict every time.

    The kind depends on artist and title, everything else on the artist. With ``include_tracks`` an answer that can have
    tracks reports them as not attempted, as the real LML does while it has no tracks contract.
    """
    if is_compilation(artist_name):
        # No method and no confidence: the contract's own example leaves the keys out.
        answer: dict[str, Any] = {"kind": "compilation", "library_id": library_id, "main": None, "provenance": []}
    else:
        album = digest(f"{artist_name}\x1f{album_title}")
        if album[0] < _UNRESOLVED_BELOW:
            return _unresolved(library_id, discogs_queried=album[1] % 2 == 0)
        answer = _single_artist(library_id, artist_name)
    if include_tracks:
        answer["tracks_attempted"] = False
        answer["tracks"] = []
    return answer


def digest(text: str) -> bytes:
    """Return a hash of ``text``, ignoring case: 32 bytes, the only source of variety in the answers."""
    return blake2b(text.casefold().encode(), digest_size=32).digest()


def _unresolved(library_id: int, *, discogs_queried: bool) -> dict[str, Any]:
    # A source that found nothing leaves an entry without confidence, as it does in resolved answers.
    no_match = {"source": "discogs", "method": "trigram", "confidence": None, "external_id": None}
    return {
        "kind": "unresolved",
        "library_id": library_id,
        "main": None,
        "method": None,
        "confidence": None,
        "provenance": [no_match] if discogs_queried else [],
    }


def _single_artist(library_id: int, artist_name: str) -> dict[str, Any]:
    hashed = digest(artist_name)
    ids = _external_ids(artist_name, hashed)
    method, confidence = _MATCHES[hashed[0]]
    discogs_id = ids["discogs"]
    main: dict[str, Any] = {"discogs_artist_id": int(discogs_id)}
    provenance: list[dict[str, Any]] = [
        {"source": "discogs", "method": method, "confidence": confidence, "external_id": discogs_id}
    ]
    agreeing = 1
    for place, (source, field, share) in enumerate(_OTHER_SOURCES, start=1):
        known = hashed[8 + place] < share
        if not known and hashed[16 + place] % 2:  # LML did not query the source, and leaves the optional key out
            continue
        main[field] = external_id = ids[source] if known else None
        agreeing += known
        source_method, source_confidence = _MATCHES[hashed[place]]
        provenance.append(
            {
                "source": source,
                "method": source_method,
                "confidence": source_confidence if known else None,
                "external_id": external_id,
            }
        )
    if agreeing > 1 and hashed[24] < _AGREEMENT_BELOW:
        method, confidence = "cross_source_agreement", _AGREEMENTS[hashed[25]]
    return {
        "kind": "single_artist",
        "library_id": library_id,
        "main": main,
        "method": method,
        "confidence": confidence,
        "provenance": provenance,
    }


def _external_ids(artist_name: str, hashed: bytes) -> dict[str, str]:
    number = int.from_bytes(hashed[26:30], "big")
    text = hashed.hex()
    return {
        "discogs": str(1 + number % 9_000_000),
        "musicbrainz": f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}",
        "wikidata": f"Q{1 + number % 120_000_000}",
        "spotify": text[32:54],
        "apple_music": str(100_000_000 + number % 1_500_000_000),
        "bandcamp": _NOT_SLUG.sub("", artist_name.casefold()) or f"artist{number}",
    }
