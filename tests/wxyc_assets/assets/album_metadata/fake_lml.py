"""An LML whose answers about albums a test chooses, and answers in the contract's format."""

from contextlib import AbstractContextManager
from typing import Any

from tests import arbitrary_lml
from tests.arbitrary_lml import STATS, ArbitraryLml, Say

Item = dict[str, Any]


def serve_lookups(say: Say, *, api_calls: int | None = 0) -> AbstractContextManager[ArbitraryLml]:
    """Serve bulk lookups; ``say`` takes the items of a call and returns its results.

    ``api_calls`` is the number of Discogs calls that each answer reports; None: answers report none.
    """
    stats = {} if api_calls is None else {"cache_stats": {**STATS, "api_calls": api_calls}}
    return arbitrary_lml.serving(
        say, path="/api/v1/lookup/bulk", key="items", envelope=lambda results: {"results": results, **stats}
    )


def album_id_of(item: Item) -> int:
    """The id of a generated album, with which its title ends."""
    return int(item["album"].split()[-1])


def artwork(**overrides: Any) -> dict[str, Any]:
    """An artwork in the contract's format."""
    return {
        "release_id": 7,
        "release_url": "https://www.discogs.com/release/7",
        "artwork_url": "https://i.discogs.com/7.jpeg",
        "confidence": 0.9,
        "release_year": 1999,
        "artist_bio": "[a=Superchunk] of [l=Sub Pop].",
        "wikipedia_url": "https://en.wikipedia.org/wiki/Superchunk",
        "spotify_url": "https://open.spotify.com/album/7",
        "apple_music_url": "https://music.apple.com/us/album/7",
        "youtube_music_url": None,
        "bandcamp_url": "https://superchunk.bandcamp.com/album/7",
        "soundcloud_url": None,
        "streaming_status": {},
        **overrides,
    }


def match(index: Any, **overrides: Any) -> dict[str, Any]:
    """A match whose artwork has these fields; ``index`` may be of any type."""
    hit = {"library_item": {"id": 0, "call_number": "", "library_url": ""}, "artwork": artwork(**overrides)}
    return {"index": index, "status": "match", "lookup": {"results": [hit], "search_type": "direct"}}


def no_match(index: Any, **lookup: Any) -> dict[str, Any]:
    """An album that LML does not know; ``lookup`` adds fields to its lookup."""
    return {"index": index, "status": "no_match", "lookup": {"results": [], "search_type": "none", **lookup}}


def failed(index: Any, message: str | None = "discogs fell over") -> dict[str, Any]:
    """An album on which LML failed."""
    return {"index": index, "status": "error", "lookup": None, "message": message}


def all_match(items: list[Item]) -> list[dict[str, Any]]:
    """Match every item; the address of each release ends with the album's id."""
    return [
        match(place, release_url=f"https://www.discogs.com/release/{album_id_of(item)}")
        for place, item in enumerate(items)
    ]


def mixed(items: list[Item]) -> list[dict[str, Any]]:
    """Of ten albums one is unknown, one is an error and one has no artwork; the others match with artwork."""
    answers = all_match(items)
    for place, item in enumerate(items):
        kind = album_id_of(item) % 10
        if kind == 0:
            answers[place] = no_match(place)
        elif kind == 1:
            answers[place] = failed(place)
        elif kind == 2:
            answers[place]["lookup"]["results"][0]["artwork"] = None
    return answers
