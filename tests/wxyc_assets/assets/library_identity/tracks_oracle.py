"""The rules of track credits in plain Python, row by row. Source: contract/library-identity.md, writeCompilationTracks.

It shares no code with the asset: folding, single precision and counting are its own.
"""

import struct
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Row:
    """A row of ``compilation_track_artist``."""

    library_id: int
    artist_name: str
    track_title: str | None
    track_position: str | None = None
    track_artist_id: int | None = None
    confidence: float | None = None
    method: str | None = None


def fold(name: str) -> str:
    """The catalogue's comparison of names: without marks U+0300 to U+036F, in lower case."""
    decomposed = unicodedata.normalize("NFD", name)
    return "".join(one for one in decomposed if not "\u0300" <= one <= "\u036f").lower()


def single(number: float | None) -> float | None:
    """The number in single precision."""
    return None if number is None else struct.unpack("f", struct.pack("f", number))[0]


def apply(
    rows: list[Row], catalogue: dict[int, str], said: dict[int, list[dict[str, Any]]]
) -> tuple[list[Row], Counter[str]]:
    """Return the rows as they must be after LML's tracks of each library, and the counters.

    ``catalogue`` is the artists' names by id; ``said`` has LML's valid entries by library.
    """
    counted: Counter[str] = Counter()
    result = {(row.library_id, row.artist_name, row.track_title): row for row in rows}
    for library_id, entries in said.items():
        groups: dict[Any, list[dict[str, Any]]] = {}
        for entry in entries:
            if entry["resolved_artist_name"] is not None:
                groups.setdefault((library_id, entry["artist_name"], entry["track_title"]), []).append(entry)
        for key, group in groups.items():
            row = result.get(key)
            if row is None:
                counted["rows_skipped_no_cta_match"] += 1
            elif row.method == "librarian":
                counted["rows_skipped_librarian"] += 1
            else:
                result[key] = _linked(row, group, catalogue, counted)
    return list(result.values()), counted


def _linked(row: Row, group: list[dict[str, Any]], catalogue: dict[int, str], counted: Counter[str]) -> Row:
    last = group[-1]
    hits = [one for one, name in catalogue.items() if fold(name) == fold(last["resolved_artist_name"])]
    artist_id = hits[0] if len(hits) == 1 else None
    if artist_id is None:
        counted["rows_skipped_no_catalog_artist"] += 1
    confidence = last["confidence"]
    if confidence is not None and not 0 <= confidence <= 1:
        confidence = None
    position = row.track_position
    if position is None:
        offered = {entry["track_position"] for entry in group} - {None}
        if len(offered) > 1:
            counted["position_rows_skipped_ambiguous"] += 1
        elif offered and len(min(offered)) <= 20:
            position = min(offered)
    linked = replace(
        row,
        track_artist_id=artist_id,
        confidence=single(confidence),
        method="lml_backfill",
        track_position=position,
    )
    if linked == replace(row, confidence=single(row.confidence)):
        counted["rows_skipped_unchanged"] += 1
        return row
    counted["rows_written"] += 1
    counted["position_rows_written"] += position != row.track_position
    return linked
