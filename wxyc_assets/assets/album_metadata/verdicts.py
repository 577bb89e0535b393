"""Classifies LML's answer to one batch: the result at position i must carry index i, and only such a result is used. Pure.

A result with another index could be about another album: it is never written, and it does not affect the other albums.
Source: DESIGN section 5, contract/album-metadata.md; for degraded answers contract/neighbours.md.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from resources.lml.models import BulkLookupResult, LookupHit, LookupResponse
from resources.lml.names import decoded, folded
from wxyc_assets.assets.album_metadata.counters import Bucket, Counters, Unanswered
from wxyc_assets.assets.album_metadata.derivation import AlbumRow, derive
from wxyc_assets.assets.album_metadata.trust import is_trusted
from wxyc_assets.runs.digest import answer_digest, digest, first_problem

MAX_CLAIM_CHARS = 100
"""Characters of an unusable index that a log line shows."""

MAX_REASON_CHARS = 500

MAX_INDEX_BITS = 63
"""An index with more bits is shown as text."""

GENUINE_DEGRADATION = "cache_only"
"""The one reason for a degraded answer that is an answer: LML looked in its cache only. After any other it did not look."""

BREAKER_OPEN = "LML's breaker to Discogs is open"

Index = int | float | str | None

Name = tuple[str, str]
"""An artist and a title, folded."""


@dataclass(frozen=True, slots=True)
class Album:
    """One input: an album of the library under its names there; LML is asked about them decoded."""

    album_id: int
    artist_name: str
    album_title: str

    @property
    def name(self) -> Name:
        """What LML is asked about; albums with equal names are one question."""
        return folded(decoded(self.artist_name)), folded(decoded(self.album_title))


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one album.

    Attributes:
        album_id: the album.
        bucket: what it is counted as.
        row: the row to write; only set in bucket ``match``.
        reason: why the album has no row, for an operator, in buckets ``error``, ``unexpected_index`` and ``match_untrusted``.
        got_index: the value that was in place of the index, in bucket ``unexpected_index``.
        unanswered: in buckets ``error`` and ``deferred``, the counter that says why LML gave no answer.
        doubtful: LML did not find the album, and could find it at another time if its breaker to Discogs is open now.
        kind: the kind of its quarantine, empty if it is not quarantined.
        payload_digest: SHA-256 of the answer, hex, where the album is quarantined.
        answer_digest: the first 16 digits of that of LML's answer; empty if LML did not answer.
        method: LML's search type, if it found an album.
    """

    album_id: int
    bucket: Bucket
    row: AlbumRow | None = None
    reason: str = ""
    got_index: Index = None
    unanswered: Unanswered | None = None
    doubtful: bool = False
    kind: str = ""
    payload_digest: str = ""
    answer_digest: str = ""
    method: str = ""


def count_outcomes(outcomes: Sequence[Outcome]) -> Counters:
    """Count every album once, and the kind of its quarantine. The writer counts what became of the rows."""
    buckets: Counter[str] = Counter(outcome.bucket for outcome in outcomes)
    kinds = Counter(outcome.kind for outcome in outcomes)
    unanswered: Counter[str] = Counter(outcome.unanswered for outcome in outcomes if outcome.unanswered)
    return Counters(
        scanned=len(outcomes),
        contract_violation=kinds["contract_violation"],
        lml_refused=kinds["lml_refused"],
        writer_error=kinds["writer_error"],
        match_without_artwork=sum(o.bucket == "match" and o.row is None and not o.kind for o in outcomes),
        **buckets,
        **unanswered,
    )


@dataclass(frozen=True)
class Classification:
    """One outcome for each album, in the order of the request, and the answers beyond them."""

    outcomes: list[Outcome]
    surplus: list[Any] = field(default_factory=list)

    @property
    def mismatches(self) -> list[tuple[int, Outcome]]:
        """The results with an unexpected index, each with its position."""
        return [
            (position, outcome)
            for position, outcome in enumerate(self.outcomes)
            if outcome.bucket == "unexpected_index"
        ]


def classify(albums: Sequence[Album], results: Sequence[Any]) -> Classification:
    """Return exactly one outcome for each album, decided by the result at its own position alone."""
    return Classification(
        [
            replace(classify_answer(album, position, results[position]), answer_digest=answer_digest(results[position]))
            if position < len(results)
            else _unexpected(album.album_id, position, "no answer in its place", None)
            for position, album in enumerate(albums)
        ],
        list(results[len(albums) :]),
    )


def classify_answer(album: Album, position: int, result: Any) -> Outcome:
    """Classify the result at one position."""
    index = result.get("index") if isinstance(result, Mapping) else None
    if type(index) is not int or index != position:  # a bool is an int to isinstance
        claimed = claimed_index(result)
        return _unexpected(album.album_id, position, f"index {claimed!r} in its place", result)
    try:
        answer = BulkLookupResult.model_validate(result)
        return _classify_own(album, answer)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an answer causes, it causes to its own album
        return _violation(album.album_id, result, first_problem(error))


def refused(album: Album, error: Exception) -> Outcome:
    """Return the outcome of an album that LML refuses even when it is asked about alone."""
    question = digest([album.artist_name, album.album_title])
    return Outcome(album.album_id, "error", reason=first_problem(error), kind="lml_refused", payload_digest=question)


def _classify_own(album: Album, answer: BulkLookupResult) -> Outcome:
    """Classify a result with the right index. Raises ValidationError if its content breaks the contract."""
    if answer.status == "error":
        return Outcome(
            album.album_id, "error", reason=(answer.message or "LML failed on this album")[:MAX_REASON_CHARS]
        )
    if answer.status == "no_match":
        incomplete = _incomplete(answer.lookup)
        if incomplete:
            return _degraded(album.album_id, incomplete)
        return Outcome(album.album_id, "no_match", doubtful=not _is_cache_only(answer.lookup))
    if answer.lookup is None:
        return _violation(album.album_id, answer.model_dump(), "match without a lookup")
    return _classify_match(album, answer.lookup, _incomplete(answer.lookup))


def _classify_match(album: Album, lookup: LookupResponse, incomplete: str) -> Outcome:
    first = next(iter(lookup.results), None)
    best = LookupHit.model_validate(first) if first is not None else None
    trusted = is_trusted(lookup.search_type, best, album.album_title)
    artwork = best.artwork if best and trusted else None
    if incomplete and not artwork:
        return _degraded(album.album_id, incomplete)  # a complete lookup may find the album, and its artwork
    if not trusted:
        reason = f"search type {lookup.search_type!r} found another album"
        doubtful = not _is_cache_only(lookup)
        return Outcome(
            album.album_id,
            "match_untrusted",
            reason=reason[:MAX_REASON_CHARS],
            doubtful=doubtful,
            method=lookup.search_type,
        )
    row = derive(album.album_id, artwork, complete=not incomplete) if artwork else None
    return Outcome(album.album_id, "match", row=row, method=lookup.search_type)


def _incomplete(lookup: LookupResponse | None) -> str:
    """Return why LML could not look the album up, empty if it could. A reason that is unknown here may be any."""
    if not lookup or not (lookup.timeout or lookup.degraded):
        return ""
    if _is_cache_only(lookup):
        return ""
    return lookup.degraded_reason or ("timeout" if lookup.timeout else "no reason given")


def _is_cache_only(lookup: LookupResponse | None) -> bool:
    genuine = lookup and lookup.degraded and lookup.degraded_reason == GENUINE_DEGRADATION
    return bool(genuine and lookup and not lookup.timeout)


def _degraded(album_id: int, why: str) -> Outcome:
    return Outcome(album_id, "error", reason=f"degraded: {why}"[:MAX_REASON_CHARS], unanswered="lml_degraded")


def withdraw_doubtful(outcomes: list[Outcome]) -> None:
    """Replace each doubtful outcome by an error: LML's breaker was open, even if LML did not say so."""
    outcomes[:] = [_degraded(one.album_id, BREAKER_OPEN) if one.doubtful else one for one in outcomes]


def _unexpected(album_id: int, position: int, problem: str, result: Any) -> Outcome:
    return Outcome(
        album_id,
        "unexpected_index",
        reason=f"position {position}: {problem}",
        got_index=claimed_index(result),
        kind="unexpected_index",
        payload_digest=digest(result),
    )


def _violation(album_id: int, answer: Any, reason: str) -> Outcome:
    return Outcome(
        album_id,
        "error",
        reason=f"breaks the contract: {reason}"[:MAX_REASON_CHARS],
        kind="contract_violation",
        payload_digest=digest(answer),
    )


def claimed_index(answer: object) -> Index:
    """Return the index that an answer claims, short enough for a log line; a value that cannot be one only by its type."""
    claimed = answer.get("index") if isinstance(answer, Mapping) else None
    if isinstance(claimed, str) or (isinstance(claimed, int) and claimed.bit_length() > MAX_INDEX_BITS):
        return str(claimed)[:MAX_CLAIM_CHARS]
    return claimed if claimed is None or isinstance(claimed, int | float) else f"a {type(claimed).__name__}"
