"""The shapes of LML's wire contract: requests and answers. Source: the LML HTTP contract. Pure.

There are two kinds of answer models. An *envelope* (``…Answer``) is what a call returns; its ``results`` are raw, because one
bad item must not lose its siblings. An *item* model is strict (a boolean is no integer, a digit string is no number); the
caller validates one raw item with it. All models ignore unknown fields: LML may add some.
"""

import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, StringConstraints, ValidationError

MAX_FLOAT = sys.float_info.max
SUSPENDED_STATES = frozenset({"open", "half_open"})
TRACKS_CONTRACT_VERSION = 1

NonBlank = Annotated[str, StringConstraints(pattern=r"\S")]
Confidence = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Milliseconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Item(BaseModel):
    """A strict, immutable shape."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class LibraryInput(Item):
    """One library to resolve."""

    library_id: int
    artist_name: str
    album_title: str
    legacy_release_id: int | None = None


class LookupItem(Item):
    """One album to look up; LML requires ``raw_message`` only."""

    raw_message: str
    artist: str | None = None
    album: str | None = None
    song: str | None = None
    extended: bool | None = None


class CacheStats(Item):
    """The work that one answer cost LML; ``api_calls`` are calls to Discogs."""

    memory_hits: Count
    pg_hits: Count
    pg_misses: Count
    api_calls: Count
    pg_time_ms: Milliseconds
    api_time_ms: Milliseconds


def finite_numbers(raw: object) -> dict[str, float]:
    """Return the finite numeric entries of ``raw`` if it is a JSON object, else none. A boolean is no number."""
    if not isinstance(raw, Mapping):
        return {}
    numbers = {str(key): value for key, value in raw.items() if type(value) in (int, float)}
    # The comparison excludes NaN and the infinities, and integers beyond the range of a float.
    return {key: value for key, value in numbers.items() if -MAX_FLOAT <= value <= MAX_FLOAT}


def _well_formed_stats(raw: object) -> CacheStats | None:
    try:
        return CacheStats.model_validate(raw)
    except ValidationError:
        return None


def _plain_int(raw: object) -> int | None:
    return raw if type(raw) is int else None


def _plain_text(raw: object) -> str | None:
    return raw if isinstance(raw, str) else None


OptionalText = Annotated[str | None, BeforeValidator(_plain_text)]

# Malformed statistics must not lose an answer: they are read as absent.
LenientStats = Annotated[CacheStats | None, BeforeValidator(_well_formed_stats)]


class Answer(BaseModel):
    """An envelope, with the statistics of its call (``calls``, ``latency_ms``, ``http_status``), which no body can set."""

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
        """Time that those calls took together, without the waits between them."""
        return self._latency_ms

    @property
    def http_status(self) -> int | None:
        """The HTTP status of the answer."""
        return self._http_status

    def record_call_stats(self, *, calls: int, latency_ms: float, http_status: int | None = None) -> None:
        """Set the statistics of the call that brought this answer."""
        self._calls = calls
        self._latency_ms = latency_ms
        self._http_status = http_status


class BulkResolveAnswer(Answer):
    """The answer about a batch of libraries. Its results are raw: validate each as ``LibraryVerdict``, match it by id."""

    results: list[Any]
    cache_stats: LenientStats = None
    tracks_contract_version: Annotated[int | None, BeforeValidator(_plain_int)] = None

    @property
    def keeps_tracks_contract(self) -> bool:
        """Whether the tracks of the results have the form that this project reads; without it they mean nothing."""
        return self.tracks_contract_version == TRACKS_CONTRACT_VERSION


class ReconciledIdentity(Item):
    """The artist-level ids that LML chose."""

    discogs_artist_id: int | None = None
    musicbrainz_artist_id: str | None = None
    wikidata_qid: str | None = None
    spotify_artist_id: str | None = None
    apple_music_artist_id: str | None = None
    bandcamp_id: str | None = None


class LibraryVerdict(Item):
    """One result of ``bulk_resolve_libraries``. The caller, not this model, decides which fields each kind needs.

    ``method`` is open: LML may add new ones. ``provenance`` is raw: validate each entry as ``Provenance``. ``tracks`` and
    ``tracks_attempted`` are raw: they mean nothing unless the envelope keeps the tracks contract.
    """

    kind: Literal["single_artist", "compilation", "unresolved"]
    library_id: int
    provenance: list[Any]
    main: ReconciledIdentity | None = None
    method: NonBlank | None = None
    confidence: Confidence | None = None
    tracks_attempted: Any = None
    tracks: Any = None


class CompilationTrack(Item):
    """One entry of ``tracks`` of a compilation: an artist of a track as the release names it, and whom LML takes that to be.

    ``resolved_artist_name`` null: LML does not know. ``confidence`` may be any number: the caller checks its range.
    """

    artist_name: str
    track_title: str | None = None
    track_position: str | None = None
    resolved_artist_name: str | None = None
    confidence: float | None = None


class Provenance(Item):
    """The statement of one source. ``confidence`` is required; null means that the source has nothing to store."""

    source: NonBlank
    method: NonBlank
    confidence: Confidence | None
    external_id: str | None = None


class BulkLookupAnswer(Answer):
    """The answer about a batch of albums. Its results are raw: validate each as ``BulkLookupResult``."""

    results: list[Any]
    cache_stats: LenientStats = None


def _mapping(raw: object) -> Mapping[str, Any]:
    return raw if isinstance(raw, Mapping) else {}


class Artwork(Item):
    """The fields of a Discogs match that this project reads. ``release_id`` 0 with an empty url means streaming only.

    ``streaming_status`` is what LML found out about each streaming service, by its name: ``verified``, ``absent`` or
    ``unresolved``. A value of any other type is read as nothing.
    """

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
    streaming_status: Annotated[Mapping[str, Any], BeforeValidator(_mapping)] = Field(default_factory=dict)


class LibraryItem(Item):
    """The album that a candidate stands for. ``id`` 0: it is not in LML's copy of the catalogue."""

    id: int
    title: str | None = None


class LookupHit(Item):
    """One candidate of a lookup. ``library_item`` is raw, because few candidates need it: validate it as ``LibraryItem``."""

    library_item: Any = None
    artwork: Artwork | None = None


class LookupResponse(Item):
    """One lookup. Its candidates are raw, best first: validate each as ``LookupHit``.

    ``degraded``: LML could not do all of its work, for the reason ``degraded_reason``, which is an open set of words.
    """

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
    """The answer to a cache refresh. Its results are raw, in no particular order: match them by ``identity_id``."""

    results: list[Any]


class ResolvedIdentity(Answer):
    """The identity of one release, newly minted or known before."""

    identity_id: int
    kind: str
    minted: bool


class Health(Answer):
    """The answer of ``GET /health``; fields that are unknown here are kept as extras.

    The deploy gate reads ``commit_sha`` only, so an answer without ``status`` is valid too. ``discogs_breaker_state`` is the
    circuit breaker between LML and Discogs; None: LML has none, or does not say.
    """

    model_config = ConfigDict(extra="allow", strict=True)

    status: NonBlank = "unstated"
    commit_sha: OptionalText = None
    discogs_breaker_state: OptionalText = None

    @property
    def discogs_is_suspended(self) -> bool:
        """Whether LML's breaker keeps it from asking Discogs: its answers are then from its cache, or empty."""
        return self.discogs_breaker_state in SUSPENDED_STATES
