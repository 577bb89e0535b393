"""Explains the metadata of one album: its run, batch and answer, what it replaced, and until when it rests."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from wxyc_assets.assets.album_metadata.store import ASSET
from wxyc_assets.runs.partitions import SHARD_COUNT, rfc3339
from wxyc_assets.runs.provenance import Provenance, Row, answer_lines, failure_lines, provenance_of, rows_of, written_by

NOT_COMPARED = {"album_id", "updated_at", "streaming_reask_attempts"}

PACKAGE = "wxyc_assets.assets.album_metadata"


@dataclass(frozen=True)
class MetadataExplanation:
    """What the database holds about one album's metadata.

    Attributes:
        album: the album, its row of album_metadata and its record of a no_match.
        replaced: the rows that it replaced, the latest first.
        provenance: LML's answers and failures.
    """

    album_id: int
    album: Row
    replaced: Sequence[Row]
    provenance: Provenance
    retry_after: timedelta

    @property
    def is_empty(self) -> bool:
        """Whether the library has no such album, and never had."""
        return not (self.album["is_in_library"] or self.album["metadata"] or self.replaced or self.provenance.answers)

    def rests(self) -> dict[str, datetime | None]:
        """Return until when LML is not asked about the album, by reason; None if the reason does not hold."""
        asked = self.album["no_match_at"]
        return {
            "no_match_until": asked and asked + self.retry_after,
            "quarantined_until": self.provenance.resting_until,
        }

    def changes(self) -> list[dict[str, Any]]:
        """Return what each write replaced: the columns before and after, and the answer; the latest first."""
        after = [self.album["metadata"] or {}, *(row["before"] for row in self.replaced)]
        return [
            {
                "replaced_at": row["replaced_at"],
                "replaced_by": self.provenance.written_at(row["replaced_at"]),
                "columns": _differences(row["before"], now),
            }
            for row, now in zip(self.replaced, after, strict=False)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the explanation as one JSON object."""
        return {
            "album_id": self.album_id,
            "shard": self.album_id % SHARD_COUNT,
            "artist_name": self.album["artist_name"],
            "album_title": self.album["album_title"],
            "metadata": self.album["metadata"],
            "written_by": self.provenance.written_at(self.album["updated_at"]),
            "replaced": self.changes(),
            "answers": self.provenance.answers,
            "failures": self.provenance.failures,
            "rests": self.rests(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the explanation as sentences for the terminal."""
        album = f"{self.album['artist_name'] or '(no artist)'}: {self.album['album_title'] or '(not in the library)'}"
        yield f"album {self.album_id}, shard {self.album_id % SHARD_COUNT}, {album}"
        if self.album["metadata"]:
            yield (
                f"its metadata was written at {rfc3339(self.album['updated_at'])} "
                f"{written_by(self.provenance.written_at(self.album['updated_at']))}"
            )
            named = {name: value for name, value in self.album["metadata"].items() if value is not None}
            yield from (f"  {name} {value}" for name, value in named.items() if name not in NOT_COMPARED)
        else:
            yield "it has no metadata"
        for change in self.changes():
            yield f"  replaced at {rfc3339(change['replaced_at'])} {written_by(change['replaced_by'])}"
            yield from (
                f"    {name}: {values['before']} to {values['after']}" for name, values in change["columns"].items()
            )
        yield from answer_lines(self.provenance)
        yield from failure_lines(self.provenance)
        rests = self.rests()
        if rests["no_match_until"]:
            yield f"LML had no match to use: not asked again before {rfc3339(rests['no_match_until'])}"
        if rests["quarantined_until"]:
            yield f"in quarantine until {rfc3339(rests['quarantined_until'])}"


def explain(connection: psycopg.Connection, album_id: int, *, retry_after: timedelta) -> MetadataExplanation:
    """Read the explanation of an album's metadata; that of an unknown album is empty."""
    (album,) = rows_of(connection, PACKAGE, "select_album", album_id=album_id)
    return MetadataExplanation(
        album_id,
        album,
        rows_of(connection, PACKAGE, "select_replaced", album_id=album_id),
        provenance_of(connection, ASSET, album_id),
        retry_after,
    )


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        name: {"before": value, "after": after.get(name)}
        for name, value in before.items()
        if name not in NOT_COMPARED and value != after.get(name)
    }
