"""The tracks of generated compilations: what the library's card says, and what LML says of the same release. Pure.

Both follow from the title alone, so that the sandbox LML knows compilations that it has never seen.
"""

import re
import unicodedata
from hashlib import blake2b
from typing import Final, NamedTuple

from wxyc_assets.sandbox.names import TITLE_WORDS, artist_name

_TITLE: Final = re.compile(r", (\d{1,5}) credits$")
_POOL: Final = 500
_POOL_FIRST: Final = 1_000_000  # the numbers of its artists are none of generated albums
_STEP: Final = 7919  # coprime to the size of the pool: no artist twice within so many tracks


class CardCredit(NamedTuple):
    """A track credit as the station has it."""

    artist_name: str
    track_title: str | None
    position: str | None
    by_librarian: bool


class LmlTrack(NamedTuple):
    """A track of a release as LML has it; ``resolved_artist_name`` None: LML does not know the artist."""

    artist_name: str
    track_title: str | None
    position: str | None
    resolved_artist_name: str | None
    confidence: float | None


def compilation_title(words: str, library_id: int, credit_count: int) -> str:
    """Return the title of a compilation that has so many credits."""
    return f"{words} {library_id}, {credit_count} credits"


def pool_names() -> list[str]:
    """Return the artists that the catalogue has of those on compilations: a tenth is missing, a tenth is there twice."""
    names = []
    for place in range(_POOL):
        name = artist_name(_POOL_FIRST + place)
        names += [] if place % 10 == 0 else [name, name.lower()] if place % 10 == 1 else [name]
    return names


def card_credits(title: str) -> list[CardCredit]:
    """Return the track credits of a generated compilation; none of another title."""
    seed = _seed(title)
    return [
        CardCredit(
            _card_name(seed, place),
            _track_title(place),
            position=f"A{place + 1}" if place % 4 == 0 else None,
            by_librarian=(place + 1) % 23 == 0,
        )
        for place in range(_count(title))
    ]


def lml_tracks(title: str) -> list[LmlTrack]:
    """Return LML's tracks of a generated compilation; none of another title.

    LML does not know a tenth of the artists, has some tracks at two positions, and some tracks that no card has.
    """
    seed, count = _seed(title), _count(title)
    tracks = []
    for place in range(count):
        known = (place + 1) % 10 != 0
        resolved = _resolved_name(seed, place) if known else None
        confidence = (70 + place % 31) / 100 if known else None
        positions = (f"{place + 1}", f"B{place + 1}") if (place + 1) % 17 == 0 else (f"{place + 1}",)
        tracks += [
            LmlTrack(_card_name(seed, place), _track_title(place), position, resolved, confidence)
            for position in positions
        ]
    for place in range(count // 28):
        tracks.append(LmlTrack(_card_name(seed, place), f"Bonus {place}", None, _resolved_name(seed, place), 0.8))
    return tracks


def _count(title: str) -> int:
    found = _TITLE.search(title)
    return int(found[1]) if found else 0


def _seed(title: str) -> int:
    return int.from_bytes(blake2b(title.encode(), digest_size=4).digest())


def _name(seed: int, place: int) -> str:
    return artist_name(_POOL_FIRST + (seed + place * _STEP) % _POOL)


def _card_name(seed: int, place: int) -> str:
    name = _name(seed, place)
    return name.upper() if place % 3 == 0 else name


def _resolved_name(seed: int, place: int) -> str:
    name = _name(seed, place)
    return unicodedata.normalize("NFD", name) if place % 5 == 0 else name


def _track_title(place: int) -> str | None:
    return None if (place + 1) % 29 == 0 else f"{TITLE_WORDS[place % len(TITLE_WORDS)]} {place}"
