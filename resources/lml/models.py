"""Owns the shapes of LML's wire contract: what is asked and what may be answered. Source: the LML HTTP contract.

Two kinds of answer models. An *envelope* (``…Answer``) is what a call returns; its ``results`` are raw, because one bad
item must not lose its siblings. An *item* model is strict (a boolean is no integer, a digit string is no number) and is
what the caller judges one raw item with. Unknown fields are ignored everywhere: LML may grow.
"""

import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, StringConstraints, ValidationError

LARGEST = sys.float_info.max

NonBlank = Annotated[str, StringConstraints(pattern=r"\S")]
Confidence = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Item(BaseModel):
    """A strict shape."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class LibraryInput(Item):
    """One library to resolve."""

    library_id: int
    artist_name: str
    album_title: str
    legacy_release_id: int | None = None


class LookupItem(Item):
    """One album to look up; ``raw_message`` is the only field that LML insists on."""

    raw_message: str
    artist: str | None = None
    album: str | None = None
    song: str | None = None
    extended: bool | None = None


class CacheStats(Item):
    """What one answer cost LML; ``api_calls`` are calls to Discogs."""

    memory_hits: Count
    pg_hits: Count
    pg_misses: Count
    api_calls: Count
    pg_time_ms: Milliseconds
    api_time_ms: Milliseconds


def finite_numbers(raw: object) -> dict[str, float]:
    """Return the finite numeric entries of ``raw`` if it is a plain object, else nothing. A boolean is no number."""
    if not isinstance(raw, Mapping):
        return {}
    numbers = {str(key): value for key, value in raw.items() if type(value) in (int, float)}
    # A comparison refuses NaN and the infinities, and integers that no float can hold as well.
    return {key: value for key, value in numbers.items() if -LARGEST <= value <= LARGEST}


def _well_formed_stats(raw: object) -> CacheStats | None:
    try:
        return CacheStats.model_validate(raw)
    except ValidationError:
        return None


def _plain_int(raw: object) -> int | None:
    return raw if type(raw) is int else None


# Statistics are never worth an answer: malformed ones read as absent.
LenientStats = Annotated[CacheStats | None, BeforeValidator(_well_formed_stats)]


class Answer(BaseModel):
    """An envelope, with how it came (``calls``, ``latency_ms``, ``http_status``), which is never read from its body."""

    model_config = ConfigDict(extra="ignore", strict=True)

    _calls: int = PrivateAttr(default=1)
    _latency_ms: float = PrivateAttr(default=0.0)
    _http_status: int | None = PrivateAttr(default=None)

    @property
    def calls(self) -> int:
        """HTTP calls that were made, failed tries included."""
        return self._calls

    @property
    def latency_ms(self) -> float:
        """Time that those calls took together, without any waiting between them."""
        return self._latency_ms

    @property
    def http_status(self) -> int | None:
        """The HTTP status that it came with."""
        return self._http_status

    def record_effort(self, *, calls: int, latency_ms: float, http_status: int | None = None) -> None:
        """Note what it took to get this answer."""
        self._calls = calls
        self._latency_ms = latency_ms
        self._http_status = http_status


class BulkResolveAnswer(Answer):
    """What LML says about a batch of libraries: raw results, to be judged as ``LibraryVerdict`` and matched by id."""

    results: list[Any]
    cache_stats: LenientStats = None
    tracks_contract_version: Annotated[int | None, BeforeValidator(_plain_int)] = None


class ReconciledIdentity(Item):
    """The artist-level ids that LML settled on."""

    discogs_artist_id: int | None = None
    musicbrainz_artist_id: str | None = None
    wikidata_qid: str | None = None
    spotify_artist_id: str | None = None
    apple_music_artist_id: str | None = None
    bandcamp_id: str | None = None


class LibraryVerdict(Item):
    """One result of ``bulk_resolve_libraries``. Which fields a kind needs is the caller's rule, not the wire's.

    ``method`` is open: LML may learn new ones. ``provenance`` is raw, to be judged entry by entry as ``Provenance``.
    """

    kind: Literal["single_artist", "compilation", "unresolved"]
    library_id: int
    provenance: list[Any]
    main: ReconciledIdentity | None = None
    method: NonBlank | None = None
    confidence: Confidence | None = None


class Provenance(Item):
    """What one source said. ``confidence`` must be there, and null means that the source has nothing to store."""

    source: NonBlank
    method: NonBlank
    confidence: Confidence | None
    external_id: str | None = None


class BulkLookupAnswer(Answer):
    """What LML found for a batch of albums: raw results, to be judged as ``BulkLookupResult``."""

    results: list[Any]
    cache_stats: LenientStats = None


class Artwork(Item):
    """A Discogs match as far as anything of ours reads it. ``release_id`` 0 with an empty url means streaming only."""

    release_id: int | None = None
    release_url: str | None = None
    artwork_url: str | None = None
    release_year: int | None = None
    artist_bio: str | None = None
    wikipedia_url: str | None = None
    spotify_url: str | None = None
    apple_music_url: str | None = None
    youtube_music_url: str | None = None
    bandcamp_url: str | None = None
    soundcloud_url: str | None = None


class LookupHit(Item):
    """One candidate of a lookup."""

    artwork: Artwork | None = None


class LookupResponse(Item):
    """One lookup: raw candidates, best first, to be judged as ``LookupHit``."""

    results: list[Any] = Field(default_factory=list)
    search_type: str = "none"
    timeout: bool = False
    degraded: bool = False
    degraded_reason: str | None = None


class BulkLookupResult(Item):
    """One result of ``bulk_lookup``; ``index`` must equal its position in the request before anything is written."""

    index: int
    status: Literal["match", "no_match", "error"]
    lookup: LookupResponse | None = None
    message: str | None = None


class RefreshAnswer(Answer):
    """What LML warmed: raw results, in no promised order: match them by ``identity_id``, never by position."""

    results: list[Any]


class ResolvedIdentity(Answer):
    """The identity of one release, freshly minted or known before."""

    identity_id: int
    kind: str
    minted: bool


class Health(Answer):
    """What ``GET /health`` says; everything beside ``status`` is LML's own business and kept as it came.

    ``commit_sha`` is all that the deploy gate reads, so an answer without a status is one too.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    status: NonBlank = "unstated"
    commit_sha: Annotated[str | None, BeforeValidator(lambda raw: raw if isinstance(raw, str) else None)] = None
