"""Judges the answer to one batch: position i must carry index i, and only such a row is looked at. Pure.

A row under another index than its own could be another album's: it is never written, and never costs its siblings anything.
Source: DESIGN section 5, contract/album-metadata.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from resources.lml.models import BulkLookupResult, LookupHit, LookupResponse
from wxyc_assets.album_metadata.counters import Bucket, Counters
from wxyc_assets.album_metadata.derivation import AlbumRow, derive
from wxyc_assets.evidence import digest, first_problem

LONGEST_CLAIM = 100
LONGEST_REASON = 500
INDEX_BITS = 63

Index = int | float | str | None


@dataclass(frozen=True, slots=True)
class Album:
    """One input: an album of the library as LML is asked about it."""

    album_id: int
    artist_name: str
    album_title: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one album.

    Attributes:
        album_id: the album.
        bucket: what it is counted as.
        row: what is to be written; only ever set in bucket ``match``.
        reason: what a person is told, in the buckets that lost something.
        got_index: what stood in the place of the index, in bucket ``unexpected_index``.
        kind: what the album is quarantined as, empty if it is not.
        payload_digest: SHA-256 of the answer, hex, where it is quarantined.
    """

    album_id: int
    bucket: Bucket
    row: AlbumRow | None = None
    reason: str = ""
    got_index: Index = None
    kind: str = ""
    payload_digest: str = ""


def counted(outcomes: Sequence[Outcome]) -> Counters:
    """Count every album once, and what its quarantine is called; what becomes of rows is counted where they are written."""
    buckets: Counter[str] = Counter(outcome.bucket for outcome in outcomes)
    kinds = Counter(outcome.kind for outcome in outcomes)
    return Counters(
        scanned=len(outcomes),
        contract_violation=kinds["contract_violation"],
        writer_error=kinds["writer_error"],
        match_without_artwork=sum(o.bucket == "match" and o.row is None and not o.kind for o in outcomes),
        **buckets,
    )


@dataclass(frozen=True)
class Judgement:
    """One outcome an album, in the order of asking, and the answers beyond them."""

    outcomes: list[Outcome]
    surplus: list[Any] = field(default_factory=list)

    @property
    def mismatches(self) -> list[tuple[int, Outcome]]:
        """The rows under another index than their own, each with the position that it came in."""
        return [(place, one) for place, one in enumerate(self.outcomes) if one.bucket == "unexpected_index"]


def judge(albums: Sequence[Album], results: Sequence[Any]) -> Judgement:
    """Give every album exactly one outcome; each is judged by its own position alone."""
    return Judgement(
        [
            judge_one(album.album_id, position, results[position])
            if position < len(results)
            else _unexpected(album.album_id, position, "no answer in its place", None)
            for position, album in enumerate(albums)
        ],
        list(results[len(albums) :]),
    )


def judge_one(album_id: int, position: int, result: Any) -> Outcome:
    """Judge what came in one position."""
    index = result.get("index") if isinstance(result, Mapping) else None
    if type(index) is not int or index != position:  # a bool is an int to isinstance
        claimed = claimed_index(result)
        return _unexpected(album_id, position, f"index {claimed!r} in its place", result)
    try:
        answer = BulkLookupResult.model_validate(result)
        return _answered(album_id, answer)
    except ValidationError as error:
        return _violation(album_id, result, first_problem(error))


def _answered(album_id: int, answer: BulkLookupResult) -> Outcome:
    """Judge an answer to the album itself. Raises ValidationError where what it found breaks the contract."""
    if answer.status == "error":
        return Outcome(album_id, "error", reason=(answer.message or "LML failed on this album")[:LONGEST_REASON])
    if answer.status == "no_match":
        return _without_match(album_id, answer.lookup)
    if answer.lookup is None:
        return _violation(album_id, answer.model_dump(), "match without a lookup")
    best = next(iter(answer.lookup.results), None)
    artwork = LookupHit.model_validate(best).artwork if best is not None else None
    return Outcome(album_id, "match", row=derive(album_id, artwork) if artwork else None)


def _without_match(album_id: int, lookup: LookupResponse | None) -> Outcome:
    """Tell an album that LML does not know from one that it had no time to look for: that one is asked again."""
    if lookup and (lookup.degraded or lookup.timeout):
        reason = f"degraded: {lookup.degraded_reason or ('timeout' if lookup.timeout else 'no reason given')}"
        return Outcome(album_id, "error", reason=reason[:LONGEST_REASON])
    return Outcome(album_id, "no_match")


def _unexpected(album_id: int, position: int, said: str, result: Any) -> Outcome:
    return Outcome(
        album_id,
        "unexpected_index",
        reason=f"position {position}: {said}",
        got_index=claimed_index(result),
        kind="unexpected_index",
        payload_digest=digest(result),
    )


def _violation(album_id: int, answer: Any, reason: str) -> Outcome:
    return Outcome(
        album_id,
        "error",
        reason=f"breaks the contract: {reason}"[:LONGEST_REASON],
        kind="contract_violation",
        payload_digest=digest(answer),
    )


def claimed_index(answer: object) -> Index:
    """Return what an answer says its index is, short enough for a log line; what can be none at all only by its type."""
    claimed = answer.get("index") if isinstance(answer, Mapping) else None
    if isinstance(claimed, str) or (isinstance(claimed, int) and claimed.bit_length() > INDEX_BITS):
        return str(claimed)[:LONGEST_CLAIM]
    return claimed if claimed is None or isinstance(claimed, int | float) else f"a {type(claimed).__name__}"
