"""The tracks of compilations that the sandbox LML knows: those of the sample catalogue, and generated ones."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from wxyc_assets.sandbox.compilations import LmlTrack, lml_tracks


def tracks_of(album_title: str) -> list[dict[str, Any]]:
    """Return the entries of ``tracks`` of a compilation, in the contract's form; empty if LML does not know it."""
    return [_entry(track) for track in _sample_tracks().get(album_title) or lml_tracks(album_title)]


def _entry(track: LmlTrack) -> dict[str, Any]:
    known = track.resolved_artist_name is not None
    return {
        "track_position": track.position,
        "track_title": track.track_title,
        "artist_name": track.artist_name,
        "resolved_artist_name": track.resolved_artist_name,
        "confidence": track.confidence,
        "method": "name_variation" if known else None,
        "sources": [],
    }


@cache
def _sample_tracks() -> Mapping[str, list[LmlTrack]]:
    """The tracks of the sample catalogue's compilations, by the album's title."""
    titles = {row["id"]: row["title"] for row in _rows("albums")}
    tracks: defaultdict[str, list[LmlTrack]] = defaultdict(list)
    for row in _rows("compilation_tracks"):
        known = tracks[titles[row["library_id"]]]
        position = row["position"] or f"{len(known) + 1}"
        known.append(LmlTrack(row["artist"], row["title"] or None, position, row["artist"], 0.95))
    return tracks


def _rows(name: str) -> list[dict[str, str]]:
    text = (files("wxyc_assets.sandbox") / "catalogue" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
