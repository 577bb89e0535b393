"""Classifies LML's answer to one page: the outcome of each library, and the answers that no library asked for. Pure.

Answers are matched by ``library_id``, never by position. An answer about a library that the page does not hold, and a second
answer about one library, are untrusted and never written. Source: DESIGN section 4, contract/library-identity.md.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from resources.lml.models import LibraryVerdict, Provenance
from wxyc_assets.assets.library_identity.confidence import as_real
from wxyc_assets.assets.library_identity.counters import Bucket, Counters
from wxyc_assets.assets.library_identity.track_credits import TrackCredit, credits_of
from wxyc_assets.runs.digest import answer_digest, digest, first_problem

MAX_SOURCE_BYTES = 2600
"""``source`` is in the primary key, and an index entry of PostgreSQL holds at most about 2700 bytes."""

MAX_CLAIM_CHARS = 100
"""Characters of an unusable id that a log line shows."""

_ALL_PROVENANCE = TypeAdapter(list[Provenance])


@dataclass(frozen=True, slots=True)
class Library:
    """One input: a row of ``library``. ``is_va``: filed under various artists; LML is asked for its tracks."""

    library_id: int
    artist_name: str
    album_title: str
    legacy_release_id: int | None
    is_va: bool = False


# A page creates about five of the next three classes for each library. A frozen dataclass takes three times as long to create.


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
    """The columns of one row of ``library_identity`` that LML decides."""

    library_id: int
    wikidata_qid: str | None
    spotify_id: str | None
    apple_music_id: str | None
    method: str
    confidence: float


@dataclass(slots=True)
class Outcome:
    """The outcome of one input.

    ``identity`` is set exactly in bucket ``resolved``, ``track_credits`` only in ``resolved_compilation``. ``reason`` and
    ``payload_digest`` (SHA-256 of the answer, hex) are set where the input is quarantined. ``answer_digest`` is set where LML
    answered.
    """

    library_id: int
    bucket: Bucket
    identity: Identity | None = None
    sources: tuple[Source, ...] = ()
    source_rows_skipped_null_confidence: int = 0
    source_rows_skipped_invalid: int = 0
    track_credits: tuple[TrackCredit, ...] = ()
    track_entries_invalid: int = 0
    reason: str = ""
    payload_digest: str = ""
    answer_digest: str = ""


def count_outcomes(outcomes: Sequence[Outcome]) -> Counters:
    """Count every input once, and the source rows and track entries that were skipped."""
    buckets: Counter[str] = Counter(outcome.bucket for outcome in outcomes)
    return Counters(
        scanned=len(outcomes),
        source_rows_skipped_null_confidence=sum(o.source_rows_skipped_null_confidence for o in outcomes),
        source_rows_skipped_invalid=sum(o.source_rows_skipped_invalid for o in outcomes),
        compilation_track_entries_skipped_invalid=sum(o.track_entries_invalid for o in outcomes),
        **buckets,
    )


@dataclass(frozen=True)
class Classification:
    """One outcome for each input, and the answers that belong to no input."""

    outcomes: list[Outcome]
    untrusted: list[Any] = field(default_factory=list)


def withdraw_unresolved(outcomes: list[Outcome]) -> int:
    """Replace each ``unresolved`` outcome by ``lml_error``, which marks nothing; return how many there were."""
    withdrawn = [place for place, one in enumerate(outcomes) if one.bucket == "unresolved"]
    for place in withdrawn:
        outcomes[place] = Outcome(outcomes[place].library_id, "lml_error")
    return len(withdrawn)


def classify(page: Sequence[Library], results: Sequence[Any], *, reads_tracks: bool = False) -> Classification:
    """Return exactly one outcome for each input of ``page``.

    ``reads_tracks``: the answer keeps the tracks contract; otherwise what it says of tracks means nothing.
    If m inputs have no answer of their own and u answers are untrusted, min(m, u) of those inputs are
    ``lml_untrusted_library_id`` and the others are ``lml_cardinality_mismatch``.
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
    missing_buckets = _missing_buckets(len(page) - len(answers), len(untrusted))
    return Classification(
        [
            _answered(library.library_id, answers[library.library_id], reads_tracks=reads_tracks)
            if library.library_id in answers
            else Outcome(library.library_id, next(missing_buckets))
            for library in page
        ],
        untrusted,
    )


def _missing_buckets(missing: int, untrusted: int) -> Iterator[Bucket]:
    for position in range(missing):
        yield "lml_untrusted_library_id" if position < untrusted else "lml_cardinality_mismatch"


def _library_id(result: Any) -> int | None:
    library_id = claimed_id(result)
    return library_id if type(library_id) is int else None  # a bool is an int to isinstance


def _answered(library_id: int, answer: Any, *, reads_tracks: bool) -> Outcome:
    outcome = classify_answer(library_id, answer, reads_tracks=reads_tracks)
    outcome.answer_digest = answer_digest(answer)
    return outcome


def classify_answer(library_id: int, answer: Any, *, reads_tracks: bool = False) -> Outcome:
    """Classify the answer to one input; an answer that breaks the contract or cannot be read is ``contract_violation``."""
    try:
        verdict = LibraryVerdict.model_validate(answer)
        if verdict.kind == "compilation" and reads_tracks and _tracks_attempted(verdict):
            return _compilation(library_id, verdict, answer)
        return _judge(library_id, verdict, answer)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever an answer causes, it causes to its own library
        return _violation(library_id, answer, first_problem(error))


def refused(library: Library, error: Exception) -> Outcome:
    """Return the outcome of a library that LML refuses even when it is asked about alone."""
    question = [library.artist_name, library.album_title, library.legacy_release_id]
    return Outcome(library.library_id, "lml_refused", reason=first_problem(error), payload_digest=digest(question))


def _judge(library_id: int, verdict: LibraryVerdict, answer: Any) -> Outcome:
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
        confidence=as_real(verdict.confidence),
    )
    return Outcome(library_id, "resolved", identity, sources, null_confidence, invalid)


def _tracks_attempted(verdict: LibraryVerdict) -> bool:
    """Return whether LML looked the tracks up. By contract, tracks that it sends are a yes, even where it says no."""
    if verdict.tracks_attempted is False:
        return isinstance(verdict.tracks, list) and bool(verdict.tracks)
    return verdict.tracks_attempted is True


def _compilation(library_id: int, verdict: LibraryVerdict, answer: Any) -> Outcome:
    if not isinstance(verdict.tracks, list):
        return _violation(
            library_id, answer, f"compilation whose tracks are a {type(verdict.tracks).__name__}, not a list"
        )
    said, invalid = credits_of(library_id, verdict.tracks)
    return Outcome(library_id, "resolved_compilation", track_credits=said, track_entries_invalid=invalid)


def _sources(library_id: int, entries: Sequence[Any]) -> tuple[tuple[Source, ...], int, int]:
    """Return the rows to write, how many entries had no confidence, and how many were invalid.

    The last entry of a source wins.
    """
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
    """Return each entry as the contract has it, None for an invalid one."""
    try:
        return _ALL_PROVENANCE.validate_python(entries)  # entries are usually valid, and one pass is faster
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
        return None  # PostgreSQL's text cannot hold a NUL
    if len(parsed.source.encode()) > MAX_SOURCE_BYTES:
        return None
    return Source(library_id, parsed.source, parsed.external_id, parsed.method, as_real(parsed.confidence))


def _violation(library_id: int, answer: Any, reason: str) -> Outcome:
    return Outcome(library_id, "contract_violation", reason=reason, payload_digest=digest(answer))


def claimed_id(answer: object) -> int | float | str | None:
    """Return the id that an answer claims, short enough for a log line; a value that cannot be an id only by its type."""
    claimed = answer.get("library_id") if isinstance(answer, Mapping) else None
    if isinstance(claimed, str):
        return claimed[:MAX_CLAIM_CHARS]
    return claimed if claimed is None or isinstance(claimed, int | float) else f"a {type(claimed).__name__}"
