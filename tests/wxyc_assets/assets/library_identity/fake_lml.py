"""An LML whose answers about libraries a test chooses, and answers in the contract's format."""

from contextlib import AbstractContextManager
from typing import Any

from tests import arbitrary_lml
from tests.arbitrary_lml import STATS, ArbitraryLml, Say

Input = dict[str, Any]


def serve_verdicts(say: Say, *, tracks_contract_version: Any = None) -> AbstractContextManager[ArbitraryLml]:
    """Serve bulk-resolve-libraries; ``say`` takes the inputs of a call and returns its results."""

    def envelope(results: Any) -> dict[str, Any]:
        return {"results": results, "cache_stats": STATS, "tracks_contract_version": tracks_contract_version}

    return arbitrary_lml.serving(say, path="/api/v1/identity/bulk-resolve-libraries", key="inputs", envelope=envelope)


def requested_ids(lml: ArbitraryLml) -> list[int]:
    """The library ids of all calls, in the order of the calls."""
    return [one["library_id"] for call in lml.asked for one in call]


def single_artist(library_id: int, **overrides: Any) -> dict[str, Any]:
    """A single_artist answer in the contract's format; its ids are made of the library's id."""
    main = {
        "discogs_artist_id": 1000 + library_id,
        "musicbrainz_artist_id": f"mb-{library_id}",
        "wikidata_qid": f"Q{library_id}",
        "spotify_artist_id": f"spotify-{library_id}",
        "apple_music_artist_id": None,
        "bandcamp_id": "band",
    }
    return {
        "kind": "single_artist",
        "library_id": library_id,
        "main": main,
        "method": "name_variation",
        "confidence": 0.93,
        "provenance": [
            {"source": "discogs", "method": "exact_match", "confidence": 1, "external_id": str(1000 + library_id)},
            {"source": "wikidata", "method": "alias_match", "confidence": 0.8, "external_id": f"Q{library_id}"},
            {"source": "spotify", "method": "trigram", "confidence": None, "external_id": None},
        ],
        **overrides,
    }


def unresolved(library_id: int) -> dict[str, Any]:
    """An unresolved answer in the contract's format."""
    return {
        "kind": "unresolved",
        "library_id": library_id,
        "main": None,
        "method": None,
        "confidence": None,
        "provenance": [],
    }


def compilation(library_id: int) -> dict[str, Any]:
    """A compilation answer like the contract's example: without the keys of an artist."""
    return {"kind": "compilation", "library_id": library_id, "main": None, "provenance": []}


def track(artist: str, title: str | None = "Song", resolved: str | None = "", **overrides: Any) -> dict[str, Any]:
    """An entry of ``tracks`` in the contract's format; ``resolved`` empty: the artist's own name."""
    return {
        "track_position": None,
        "track_title": title,
        "artist_name": artist,
        "resolved_artist_name": artist if resolved == "" else resolved,
        "confidence": 0.9,
        "method": "exact_match",
        "sources": [],
        **overrides,
    }


def with_tracks(library_id: int, *tracks: Any, attempted: Any = True) -> dict[str, Any]:
    """A compilation whose tracks LML looked up."""
    return {**compilation(library_id), "tracks_attempted": attempted, "tracks": list(tracks)}


def all_single_artists(inputs: list[Input]) -> list[dict[str, Any]]:
    """Resolve every input."""
    return [single_artist(one["library_id"]) for one in inputs]


def mixed(inputs: list[Input]) -> list[dict[str, Any]]:
    """Of ten libraries one is unresolved and one a compilation; the others are single artists."""
    answers = []
    for one in inputs:
        library_id = one["library_id"]
        answer = {0: unresolved, 1: compilation}.get(library_id % 10, single_artist)
        answers.append(answer(library_id))
    return answers
