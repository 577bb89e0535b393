"""An LML that says of libraries what a test wants it to, and answers as the contract has them."""

from contextlib import AbstractContextManager
from typing import Any

from tests import arbitrary_lml
from tests.arbitrary_lml import STATS, ArbitraryLml, Say

Input = dict[str, Any]


def serving(say: Say) -> AbstractContextManager[ArbitraryLml]:
    """Serve the resolution of libraries; ``say`` gets the inputs and returns results."""
    return arbitrary_lml.serving(say, path="/api/v1/identity/bulk-resolve-libraries", key="inputs", envelope=_envelope)


def _envelope(results: Any) -> dict[str, Any]:
    return {"results": results, "cache_stats": STATS, "tracks_contract_version": None}


def ids(lml: ArbitraryLml) -> list[int]:
    """Every library id that was asked about, in order of asking."""
    return [one["library_id"] for call in lml.asked for one in call]


def single(library_id: int, **overrides: Any) -> dict[str, Any]:
    """A single_artist answer as the contract has it; ids follow from the library."""
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
    """An unresolved answer as the contract has it."""
    return {
        "kind": "unresolved",
        "library_id": library_id,
        "main": None,
        "method": None,
        "confidence": None,
        "provenance": [],
    }


def compilation(library_id: int) -> dict[str, Any]:
    """A compilation answer as the contract's example has it: without the keys of an artist."""
    return {"kind": "compilation", "library_id": library_id, "main": None, "provenance": []}


def all_single(inputs: list[Input]) -> list[dict[str, Any]]:
    """Resolve every input."""
    return [single(one["library_id"]) for one in inputs]
