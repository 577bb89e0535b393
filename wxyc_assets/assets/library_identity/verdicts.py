"""Judges one answer of LML against the page that was asked. Pure: values in, values out.

Answers are matched by ``library_id``, never by position. Whatever is not an answer to a question of ours, or is a second
one, is untrusted and never written. Source: DESIGN section 4, contract/library-identity.md.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from resources.lml.models import LibraryVerdict, Provenance
from wxyc_assets.evidence import digest, first_problem
from wxyc_assets.library_identity.counters import Bucket, Counters

LONGEST_SOURCE_BYTES = 2600
"""``source`` is in the primary key, and no index entry of PostgreSQL holds more than some 2700 bytes."""

LONGEST_CLAIM = 100

_ALL_PROVENANCE = TypeAdapter(list[Provenance])

SMALLEST_REAL = 2.0**-149
"""The smallest number above 0 that a ``real`` holds."""


@dataclass(frozen=True, slots=True)
class Library:
    """One input: a row of ``library``."""

    library_id: int
    artist_name: str
    album_title: str
    legacy_release_id: int | None


# The next three are made some five times a library: to make a frozen one takes three times as long.


@dataclass(slots=True)
class Source:
    """One row of ``library_identity_source``; the fields are its columns."""

    library_id: int
    source: str
    external_id: str
    method: str
    confidence: float


@dataclass(slots=True)
class Identity:
    """One row of ``library_identity``, as far as LML decides it; the fields are its columns."""

    library_id: int
    wikidata_qid: str | None
    spotify_id: str | None
    apple_music_id: str | None
    method: str
    confidence: float


@dataclass(slots=True)
class Outcome:
    """What becomes of one input.

    ``identity`` is set exactly in bucket ``resolved``; ``reason`` and ``payload_digest`` (SHA-256 of the answer, hex) where the
    input is to be quarantined.
    """

    library_id: int
    bucket: Bucket
    identity: Identity | None = None
    sources: tuple[Source, ...] = ()
    source_rows_skipped_null_confidence: int = 0
    source_rows_skipped_invalid: int = 0
    reason: str = ""
    payload_digest: str = ""


def counted(outcomes: Sequence[Outcome]) -> Counters:
    """Count every input once, with what its sources lost."""
    buckets: Counter[str] = Counter(outcome.bucket for outcome in outcomes)
    return Counters(
        scanned=len(outcomes),
        source_rows_skipped_null_confidence=sum(o.source_rows_skipped_null_confidence for o in outcomes),
        source_rows_skipped_invalid=sum(o.source_rows_skipped_invalid for o in outcomes),
        **buckets,
    )


@dataclass(frozen=True)
class Judgement:
    """One outcome an input, and the answers that belong to none."""

    outcomes: list[Outcome]
    untrusted: list[Any] = field(default_factory=list)


def judge(page: Sequence[Library], results: Sequence[Any]) -> Judgement:
    """Give every input of ``page`` exactly one outcome.

    Of the m inputs without an answer of their own, while u answers are untrusted, min(m, u) are
    ``lml_untrusted_library_id`` and the rest ``lml_cardinality_mismatch``.
    """
    asked = {library.library_id for library in page}
    answers: dict[int, Any] = {}
    untrusted: list[Any] = []
    for result in results:
        library_id = _library_id(result)
        if library_id is None or library_id not in asked or library_id in answers:
            untrusted.append(result)
        else:
            answers[library_id] = result
    missing_kinds = _missing_kinds(len(page) - len(answers), len(untrusted))
    return Judgement(
        [
            judge_one(library.library_id, answers[library.library_id])
            if library.library_id in answers
            else Outcome(library.library_id, next(missing_kinds))
            for library in page
        ],
        untrusted,
    )


def _missing_kinds(missing: int, untrusted: int) -> Iterator[Bucket]:
    for position in range(missing):
        yield "lml_untrusted_library_id" if position < untrusted else "lml_cardinality_mismatch"


def _library_id(result: Any) -> int | None:
    library_id = claimed_id(result)
    return library_id if type(library_id) is int else None  # a bool is an int to isinstance


def judge_one(library_id: int, answer: Any) -> Outcome:
    """Judge the answer to one input; one that breaks the contract is ``contract_violation``."""
    try:
        verdict = LibraryVerdict.model_validate(answer)
    except ValidationError as error:
        return _violation(library_id, answer, first_problem(error))
    if verdict.kind != "single_artist":
        return Outcome(library_id, verdict.kind)
    if verdict.main is None or not verdict.method or verdict.confidence is None:
        absent = [name for name in ("main", "method", "confidence") if getattr(verdict, name) in (None, "")]
        return _violation(library_id, answer, f"single_artist without {', '.join(absent)}")
    sources, null_confidence, invalid = _sources(library_id, verdict.provenance)
    identity = Identity(
        library_id,
        wikidata_qid=verdict.main.wikidata_qid,
        spotify_id=verdict.main.spotify_artist_id,
        apple_music_id=verdict.main.apple_music_artist_id,
        method=verdict.method,
        confidence=_as_real(verdict.confidence),
    )
    return Outcome(library_id, "resolved", identity, sources, null_confidence, invalid)


def _sources(library_id: int, entries: Sequence[Any]) -> tuple[tuple[Source, ...], int, int]:
    """Return the rows to write, last of a source wins, and how many entries had no confidence or could not be a row."""
    rows: dict[str, Source] = {}
    null_confidence = invalid = 0
    for entry, parsed in zip(entries, _parsed(entries), strict=True):
        if isinstance(entry, dict) and entry.get("confidence", 0) is None:
            null_confidence += 1
        elif parsed is None or (row := _source(library_id, parsed)) is None:
            invalid += 1
        else:
            rows[row.source] = row
    return tuple(rows.values()), null_confidence, invalid


def _parsed(entries: Sequence[Any]) -> Sequence[Provenance | None]:
    """Return each entry in its shape, None for one that has another."""
    try:
        return _ALL_PROVENANCE.validate_python(entries)  # well-formed as a rule, and then one pass does
    except ValidationError:
        return [_parsed_alone(entry) for entry in entries]


def _parsed_alone(entry: Any) -> Provenance | None:
    try:
        return Provenance.model_validate(entry)
    except ValidationError:
        return None


def _source(library_id: int, parsed: Provenance) -> Source | None:
    if parsed.external_id is None or parsed.confidence is None:
        return None
    if "\0" in parsed.source or "\0" in parsed.external_id or "\0" in parsed.method:
        return None  # no text of PostgreSQL holds a NUL
    if len(parsed.source.encode()) > LONGEST_SOURCE_BYTES:
        return None
    return Source(library_id, parsed.source, parsed.external_id, parsed.method, _as_real(parsed.confidence))


def _as_real(confidence: float) -> float:
    """Return a confidence that PostgreSQL's ``real`` takes: it refuses, rather than rounds, what is too close to 0."""
    return confidence if confidence >= SMALLEST_REAL else 0.0


def _violation(library_id: int, answer: Any, reason: str) -> Outcome:
    return Outcome(library_id, "contract_violation", reason=reason, payload_digest=digest(answer))


def claimed_id(answer: object) -> int | float | str | None:
    """Return what an answer says it is about, short enough for a log line; what can be no id at all only by its type."""
    claimed = answer.get("library_id") if isinstance(answer, Mapping) else None
    if isinstance(claimed, str):
        return claimed[:LONGEST_CLAIM]
    return claimed if claimed is None or isinstance(claimed, int | float) else f"a {type(claimed).__name__}"
