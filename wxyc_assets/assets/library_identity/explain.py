"""Explains the identity of one album: its run, batch and answer, what it replaced, and until when it rests."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from wxyc_assets.assets.library_identity.store import ASSET
from wxyc_assets.runs.partitions import SHARD_COUNT, rfc3339
from wxyc_assets.runs.provenance import (
    Provenance,
    Row,
    answer_lines,
    failure_lines,
    provenance_of,
    rows_of,
    written_by,
)

PACKAGE = "wxyc_assets.assets.library_identity"


@dataclass(frozen=True)
class IdentityExplanation:
    """What the database holds about one album's identity.

    Attributes:
        library: the album, its identity and its marker.
        sources: the external ids of the identity.
        replaced: the identities that it replaced, the latest first.
        provenance: LML's answers and failures.
    """

    library_id: int
    library: Row
    sources: Sequence[Row]
    replaced: Sequence[Row]
    provenance: Provenance
    stale_after: timedelta
    retry_after: timedelta

    @property
    def is_empty(self) -> bool:
        """Whether the library has no such album, and never had."""
        return not (
            self.library["is_in_library"] or self.library["identity"] or self.replaced or self.provenance.answers
        )

    def rests(self) -> dict[str, datetime | None]:
        """Return until when LML is not asked about the album, by reason; None if the reason does not hold."""
        verified, marked = self.library["last_verified_at"], self.library["unresolved_attempted_at"]
        return {
            "fresh_until": verified and verified + self.stale_after,
            "unresolved_until": marked and marked + self.retry_after,
            "quarantined_until": self.provenance.resting_until,
        }

    def as_json(self) -> dict[str, Any]:
        """Return the explanation as one JSON object."""
        return {
            "library_id": self.library_id,
            "shard": self.library_id % SHARD_COUNT,
            "artist_name": self.library["artist_name"],
            "album_title": self.library["album_title"],
            "identity": self.library["identity"],
            "written_by": self.provenance.written_at(self.library["last_verified_at"]),
            "sources": list(self.sources),
            "replaced": [
                {**old, "replaced_by": self.provenance.written_at(old["superseded_at"])} for old in self.replaced
            ],
            "answers": self.provenance.answers,
            "failures": self.provenance.failures,
            "rests": self.rests(),
        }

    def lines(self) -> Iterator[str]:
        """Yield the explanation as sentences for the terminal."""
        album = (
            f"{self.library['artist_name'] or '(no artist)'}: {self.library['album_title'] or '(not in the library)'}"
        )
        yield f"album {self.library_id}, shard {self.library_id % SHARD_COUNT}, {album}"
        identity = self.library["identity"]
        if identity:
            yield f"its identity was decided by {_decided(identity)}"
            answer = self.provenance.written_at(self.library["last_verified_at"])
            notes = f", notes {identity['notes']}" if identity["notes"] and not answer else ""
            yield f"  verified at {rfc3339(self.library['last_verified_at'])} {written_by(answer)}{notes}"
            yield from (f"  {row['source']} {row['external_id']}, by {row['method']}" for row in self.sources)
        else:
            yield "it has no identity"
        for old in self.replaced:
            answer = self.provenance.written_at(old["superseded_at"])
            yield f"  replaced at {rfc3339(old['superseded_at'])} {written_by(answer)}: {_decided(old)}"
        yield from answer_lines(self.provenance)
        yield from failure_lines(self.provenance)
        for name, reason in _RESTS.items():
            if until := self.rests()[name]:
                yield f"{reason} {rfc3339(until)}"


_RESTS = {
    "fresh_until": "the identity is fresh until",
    "unresolved_until": "LML did not resolve it: not asked again before",
    "quarantined_until": "in quarantine until",
}


def explain(
    connection: psycopg.Connection, library_id: int, *, stale_after: timedelta, retry_after: timedelta
) -> IdentityExplanation:
    """Read the explanation of an album's identity; that of an unknown album is empty."""
    (library,) = rows_of(connection, PACKAGE, "select_library", library_id=library_id)
    return IdentityExplanation(
        library_id,
        library,
        rows_of(connection, PACKAGE, "select_sources", library_id=library_id),
        rows_of(connection, PACKAGE, "select_replaced", library_id=library_id),
        provenance_of(connection, ASSET, library_id),
        stale_after,
        retry_after,
    )


def _decided(identity: Row) -> str:
    ids = {"Wikidata": "wikidata_qid", "Spotify": "spotify_id", "Apple Music": "apple_music_id"}
    named = [f"{name} {identity[column]}" for name, column in ids.items() if identity[column]]
    confidence = "unknown" if identity["confidence"] is None else f"{identity['confidence']:g}"
    return f"{identity['method']}, confidence {confidence}: {', '.join(named) or 'no id'}"
