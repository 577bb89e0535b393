"""Track credits of compilations: what LML says of each, and what becomes of the stored ones. Pure.

A track credit is a row of ``compilation_track_artist``: an artist of a track as the library's card names it. Source:
contract/library-identity.md, writeCompilationTracks.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError

from resources.lml.models import CompilationTrack
from wxyc_assets.assets.library_identity.confidence import as_real
from wxyc_assets.assets.library_identity.counters import TrackCounters

MAX_POSITION_CHARS = 20
"""``track_position`` holds no more."""

GAP_MIN_MISSES = 10
"""So many credits of a batch that LML names and the station does not have are logged, if they are at least half of all."""

_ALL_TRACKS = TypeAdapter(list[CompilationTrack])


# A page creates thousands of the next two classes. A frozen dataclass takes three times as long to create.


@dataclass(slots=True)
class TrackCredit:
    """What LML says of one artist and title of a compilation.

    ``confidence`` is None if LML gave none, or one outside 0 to 1, which is ``refused_confidence`` then. ``position`` is the
    only position that LML offers; None if it offers none or several. ``positions`` is how many different ones it offers.
    """

    library_id: int
    artist_name: str
    track_title: str | None
    resolved_artist_name: str
    confidence: float | None
    refused_confidence: float | None
    position: str | None
    positions: int


@dataclass(slots=True)
class StoredCredit:
    """What is stored of a credit that LML names.

    Attributes:
        place: the place of LML's credit among those that were looked up, from 1.
        credit_id: the row of ``compilation_track_artist``.
        by_librarian: whether a librarian linked it; such a row stays as it is.
        artist_id: the artist of the catalogue that it is linked to.
        confirmed: whether its link is LML's word, with the confidence that LML gives.
        has_position: whether the row has a position, which stays.
    """

    place: int
    credit_id: int
    by_librarian: bool
    artist_id: int | None
    confirmed: bool
    has_position: bool


@dataclass(slots=True)
class CreditUpdate:
    """A row of ``compilation_track_artist`` that is to have these values; ``position``: only if it has none."""

    credit_id: int
    artist_id: int | None
    confidence: float | None
    position: str | None


@dataclass(frozen=True)
class CreditWarning:
    """Something of a stored credit that LML got wrong: the log step, and its fields."""

    step: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class CreditReview:
    """What is to become of the credits that LML names, or what became of them: ``counters`` count it.

    ``named`` is how many credits LML names.
    """

    counters: TrackCounters = field(default_factory=TrackCounters)
    updates: Sequence[CreditUpdate] = ()
    warnings: Sequence[CreditWarning] = ()
    named: int = 0

    def __add__(self, other: "CreditReview") -> "CreditReview":
        return CreditReview(
            self.counters + other.counters,
            [*self.updates, *other.updates],
            [*self.warnings, *other.warnings],
            self.named + other.named,
        )

    @property
    def has_gap(self) -> bool:
        """Whether the station lacks so many of the credits that LML names that the two may mean different releases."""
        missing = self.counters.compilation_track_rows_skipped_no_cta_match
        return missing >= GAP_MIN_MISSES and missing * 2 >= self.named


def credits_of(library_id: int, entries: Sequence[Any]) -> tuple[tuple[TrackCredit, ...], int]:
    """Return LML's credits of one compilation, each artist and title once, and how many entries are invalid.

    The last entry of an artist and title decides who it is. An entry without a resolved artist says nothing.
    """
    said: dict[tuple[str, str | None], TrackCredit] = {}
    positions: dict[tuple[str, str | None], set[str]] = {}
    invalid = 0
    for track in _parsed(entries):
        if track is None:
            invalid += 1
            continue
        if track.resolved_artist_name is None:
            continue
        key = (track.artist_name, track.track_title)
        offered = positions.setdefault(key, set())
        if track.track_position is not None:
            offered.add(track.track_position)
        confidence = track.confidence
        in_range = confidence is not None and 0 <= confidence <= 1  # NaN is not
        said[key] = TrackCredit(
            library_id,
            track.artist_name,
            track.track_title,
            track.resolved_artist_name,
            confidence=as_real(confidence) if confidence is not None and in_range else None,
            refused_confidence=None if in_range else confidence,
            position=next(iter(offered)) if len(offered) == 1 else None,
            positions=len(offered),
        )
    return tuple(said.values()), invalid


def names_to_find(said: Sequence[TrackCredit], stored: Sequence[StoredCredit]) -> list[str]:
    """Return LML's names of the artists that ``review`` needs, each once."""
    return list({said[row.place - 1].resolved_artist_name: None for row in stored if not row.by_librarian})


def review(said: Sequence[TrackCredit], stored: Sequence[StoredCredit], catalogue: Mapping[str, int]) -> CreditReview:
    """Decide what becomes of each stored credit that LML names. The counters count the rows of ``updates`` as written.

    Args:
        said: what LML says of each credit.
        stored: those of them that the station has.
        catalogue: the artist of each of ``names_to_find`` that exactly one artist of the catalogue has.
    """
    updates: list[CreditUpdate] = []
    warnings: list[CreditWarning] = []
    librarian = no_artist = unchanged = ambiguous = positions = 0
    for row in stored:
        if row.by_librarian:
            librarian += 1
            continue
        credit = said[row.place - 1]
        artist_id = catalogue.get(credit.resolved_artist_name)
        no_artist += artist_id is None
        position = None if row.has_position else credit.position
        ambiguous += not row.has_position and credit.positions > 1
        warnings += _warnings(credit, row)
        if position is not None and len(position) > MAX_POSITION_CHARS:
            position = None
        if row.confirmed and row.artist_id == artist_id and position is None:
            unchanged += 1
            continue
        positions += position is not None
        updates.append(CreditUpdate(row.credit_id, artist_id, credit.confidence, position))
    counters = TrackCounters(
        compilation_track_rows_written=len(updates),
        compilation_track_rows_skipped_unchanged=unchanged,
        compilation_track_rows_skipped_librarian=librarian,
        compilation_track_rows_skipped_no_cta_match=len(said) - len(stored),
        compilation_track_rows_skipped_no_catalog_artist=no_artist,
        compilation_track_position_rows_written=positions,
        compilation_track_position_rows_skipped_ambiguous=ambiguous,
    )
    return CreditReview(counters, updates, warnings, named=len(said))


def _warnings(credit: TrackCredit, row: StoredCredit) -> Iterator[CreditWarning]:
    named = {"cta_id": row.credit_id, "library_id": credit.library_id}
    if credit.refused_confidence is not None:
        fields = {**named, "confidence": credit.refused_confidence}
        yield CreditWarning("compilation_confidence_out_of_range", fields)
    if row.has_position:
        return
    if credit.positions > 1:
        yield CreditWarning("compilation_position_ambiguous", {**named, "distinct_positions": credit.positions})
    elif credit.position is not None and len(credit.position) > MAX_POSITION_CHARS:
        yield CreditWarning("compilation_position_too_long", {**named, "position_length": len(credit.position)})


def _parsed(entries: Sequence[Any]) -> Iterator[CompilationTrack | None]:
    """Yield each entry as the contract has it, None for one that is not, or that PostgreSQL's text cannot hold."""
    try:
        parsed: Sequence[CompilationTrack | None] = _ALL_TRACKS.validate_python(entries)  # one pass is faster
    except ValidationError:
        parsed = [_parsed_alone(entry) for entry in entries]
    for track in parsed:
        yield track if track is not None and _can_be_stored(track) else None


def _parsed_alone(entry: Any) -> CompilationTrack | None:
    try:
        return CompilationTrack.model_validate(entry)
    except ValidationError:
        return None


def _can_be_stored(track: CompilationTrack) -> bool:
    """Return whether its texts have no NUL and no half of a surrogate pair."""
    texts = (track.artist_name, track.track_title, track.track_position, track.resolved_artist_name)
    try:
        return all(text is None or b"\0" not in text.encode() for text in texts)
    except UnicodeEncodeError:
        return False
