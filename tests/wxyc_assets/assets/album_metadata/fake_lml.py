"""An LML that says of albums what a test wants it to, and answers as the contract has them."""

from contextlib import AbstractContextManager
from typing import Any

from tests import arbitrary_lml
from tests.arbitrary_lml import STATS, ArbitraryLml, Say

Item = dict[str, Any]


def serving(say: Say, *, api_calls: int | None = 0) -> AbstractContextManager[ArbitraryLml]:
    """Serve bulk lookups; ``say`` gets the items and returns results.

    ``api_calls`` is what each answer says that it cost, None for nothing said.
    """
    stats = {} if api_calls is None else {"cache_stats": {**STATS, "api_calls": api_calls}}
    return arbitrary_lml.serving(
        say, path="/api/v1/lookup/bulk", key="items", envelope=lambda results: {"results": results, **stats}
    )


def number(item: Item) -> int:
    """The id of a generated album, which ends its title."""
    return int(item["album"].split()[-1])


def artwork(**overrides: Any) -> dict[str, Any]:
    """An artwork as the contract has it."""
    return {
        "release_id": 7,
        "release_url": "https://www.discogs.com/release/7",
        "artwork_url": "https://i.discogs.com/7.jpeg",
        "confidence": 0.9,
        "release_year": 1999,
        "artist_bio": "[a=Somebody] of [l=Sub Pop].",
        "wikipedia_url": "https://en.wikipedia.org/wiki/Somebody",
        "spotify_url": "https://open.spotify.com/album/7",
        "apple_music_url": "https://music.apple.com/us/album/7",
        "youtube_music_url": None,
        "bandcamp_url": "https://somebody.bandcamp.com/album/7",
        "soundcloud_url": None,
        "streaming_status": {},
        **overrides,
    }


def match(index: Any, **overrides: Any) -> dict[str, Any]:
    """A match whose artwork has these fields; ``index`` stands as it is given."""
    hit = {"library_item": {"id": 0, "call_number": "", "library_url": ""}, "artwork": artwork(**overrides)}
    return {"index": index, "status": "match", "lookup": {"results": [hit], "search_type": "direct"}}


def no_match(index: Any, **lookup: Any) -> dict[str, Any]:
    """An album that LML does not know; ``lookup`` says more about how it looked."""
    return {"index": index, "status": "no_match", "lookup": {"results": [], "search_type": "none", **lookup}}


def failed(index: Any, message: str | None = "discogs fell over") -> dict[str, Any]:
    """An album on which LML failed."""
    return {"index": index, "status": "error", "lookup": None, "message": message}


def all_match(items: list[Item]) -> list[dict[str, Any]]:
    """Match every item; the address of each release tells which album it was made for."""
    return [
        match(place, release_url=f"https://www.discogs.com/release/{number(item)}") for place, item in enumerate(items)
    ]


def mixed(items: list[Item]) -> list[dict[str, Any]]:
    """Of ten albums one is unknown, one fails, one has no artwork; the others match."""
    answers = all_match(items)
    for place, item in enumerate(items):
        kind = number(item) % 10
        if kind == 0:
            answers[place] = no_match(place)
        elif kind == 1:
            answers[place] = failed(place)
        elif kind == 2:
            answers[place]["lookup"]["results"][0]["artwork"] = None
    return answers
