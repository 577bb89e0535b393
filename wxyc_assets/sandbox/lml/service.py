"""The sandbox LML without HTTP: the answer of each operation, and its calls to Discogs."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from wxyc_assets.sandbox.lml import lookups, refreshes, wire
from wxyc_assets.sandbox.lml.discogs import CacheStats, SimulatedDiscogs
from wxyc_assets.sandbox.lml.tracks import tracks_of
from wxyc_assets.sandbox.lml.verdicts import verdict

_ITEM_LIMIT_S: Final = 25.0
_CUT_OFF_MAX_S: Final = 4.0
_CUT_OFF_MARGIN_S: Final = 0.2


@dataclass
class LmlService:
    """The operations of LML. ``budget_s`` is the caller's X-Caller-Budget-Ms in seconds; None means no limit.

    ``tracks``: it has the tracks contract, version 1; without it, it reports the tracks as not attempted, as today's LML does.
    """

    discogs: SimulatedDiscogs
    commit_sha: str | None = None
    tracks: bool = False
    _minted: set[int] = field(default_factory=set)

    async def bulk_resolve(self, raw: bytes, _budget_s: float | None) -> dict[str, Any]:
        """Resolve libraries by their names alone; never calls Discogs."""
        decoded = wire.parse_json(raw)
        wire.enforce_cap(decoded, "inputs", wire.MAX_LIBRARIES, 413)
        body = wire.validate(decoded, wire.BulkResolveBody)
        include_tracks = bool(body.include_tracks)
        return {
            "results": [
                _with_tracks(answer, one.album_title) if self.tracks and include_tracks else answer
                for one in body.inputs
                for answer in [verdict(one.library_id, one.artist_name, one.album_title, include_tracks=include_tracks)]
            ],
            "cache_stats": _cache_stats(CacheStats("bulk-resolve-libraries", hits=len(body.inputs))),
            "tracks_contract_version": 1 if self.tracks else None,
        }

    async def bulk_lookup(self, raw: bytes, budget_s: float | None) -> dict[str, Any]:
        """Look albums up; an album that Discogs does not answer in its time is a degraded no_match."""
        decoded = wire.parse_json(raw)
        wire.enforce_cap(decoded, "items", wire.MAX_LOOKUPS, 400)
        body = wire.validate(decoded, wire.BulkLookupBody)
        stats = CacheStats("lookup-bulk")
        answers = await _all(self._lookup(item, stats, budget_s) for item in body.items)
        return {
            "results": [_bulk_item(index, answer) for index, answer in enumerate(answers)],
            "cache_stats": _cache_stats(stats),
        }

    async def lookup(self, raw: bytes, budget_s: float | None) -> dict[str, Any]:
        """Look one album up."""
        body = wire.parse(raw, wire.LookupBody)
        stats = CacheStats("lookup")
        answer = await self._lookup(body, stats, budget_s)
        if answer is None:
            raise wire.ApiError(422, "validation_error", "raw_message: names no album")
        return answer | {"cache_stats": _cache_stats(stats)}

    async def refresh(self, raw: bytes, budget_s: float | None) -> dict[str, Any]:
        """Warm the cache for identities; a duplicate id gets its own result."""
        decoded = wire.parse_json(raw)
        wire.enforce_cap(decoded, "identity_ids", wire.MAX_IDENTITIES, 400)
        body = wire.validate(decoded, wire.RefreshBody)
        stats = CacheStats("refresh-for-identities")
        return {"results": await _all(self._refresh(one, stats, budget_s) for one in body.identity_ids)}

    async def resolve(self, raw: bytes, _budget_s: float | None) -> dict[str, Any]:
        """Return the identity of a release; mint it if it is new."""
        body = wire.parse(raw, wire.ResolveBody)
        if body.kind != "release":
            raise wire.ApiError(422, "validation_error", "kind must be release")
        try:
            identity_id = refreshes.mint(body.source, body.external_id)
        except ValueError as error:
            raise wire.ApiError(422, "validation_error", str(error)) from error
        minted = identity_id not in self._minted
        self._minted.add(identity_id)
        return {"identity_id": identity_id, "kind": "release", "minted": minted}

    async def health(self, _raw: bytes, _budget_s: float | None) -> dict[str, Any]:
        """Report that all services are healthy; ``commit_sha`` is null in production today."""
        services = {"database": "ok", "discogs_api": "ok", "discogs_cache": "ok"}
        return {
            "status": "healthy",
            "version": "sandbox",
            "commit_sha": self.commit_sha,
            "services": services,
            "discogs_breaker_state": self.discogs.breaker_state,
        }

    async def _lookup(self, item: wire.LookupBody, stats: CacheStats, budget_s: float | None) -> dict[str, Any] | None:
        artist, album = _album_of(item)
        if not artist and not album:
            return None
        release = f"release {lookups.release_key(artist, album)}"
        if problem := await self._warm(release, 1, stats, _item_limit_s(budget_s)):
            return lookups.degraded_response(problem)
        return lookups.lookup_response(artist, album, extended=bool(item.extended))

    async def _refresh(self, identity_id: int, stats: CacheStats, budget_s: float | None) -> dict[str, Any]:
        calls = refreshes.discogs_calls(identity_id)
        if calls and (problem := await self._warm(f"identity {identity_id}", calls, stats, budget_s)):
            return refreshes.failed_answer(identity_id, problem.replace("_", " "))
        return refreshes.refresh_answer(identity_id)

    async def _warm(self, release: str, calls: int, stats: CacheStats, limit_s: float | None) -> str:
        """Put ``release`` into the cache; return why that was not possible, as a degraded answer says it, empty if it was."""
        if release in self.discogs.cache:
            stats.hits += 1
            return ""
        stats.misses += 1
        if self.discogs.suspended:
            return "upstream_unavailable"
        try:
            async with asyncio.timeout(limit_s):
                for _ in range(calls):
                    await self.discogs.call(stats)
        except TimeoutError:
            return "deadline_exceeded"
        self.discogs.cache.warm(release)
        return ""


Operation = Callable[[bytes, float | None], Coroutine[Any, Any, dict[str, Any]]]
"""One operation of ``LmlService``: request body and budget in seconds in, JSON answer out; raises ``wire.ApiError``."""


def _with_tracks(answer: dict[str, Any], album_title: str) -> dict[str, Any]:
    if answer["kind"] != "compilation":
        return answer
    return answer | {"tracks_attempted": True, "tracks": tracks_of(album_title)}


def _item_limit_s(budget_s: float | None) -> float:
    """Return how long one album may take: that the budget is there arms a cut-off of 4 s at most, whatever its value."""
    return _ITEM_LIMIT_S if budget_s is None else max(0.0, min(budget_s - _CUT_OFF_MARGIN_S, _CUT_OFF_MAX_S))


def _bulk_item(index: int, answer: dict[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        return {"index": index, "status": "error", "lookup": None, "message": "raw_message: names no album"}
    return {"index": index, "status": "match" if answer["results"] else "no_match", "lookup": answer}


def _album_of(item: wire.LookupBody) -> tuple[str, str]:
    if item.artist or item.album:
        return (item.artist or "").strip(), (item.album or "").strip()
    artist, _, album = item.raw_message.partition(" - ")
    return artist.strip(), album.strip()


def _cache_stats(stats: CacheStats) -> dict[str, int | float]:
    return {
        "memory_hits": 0,
        "pg_hits": stats.hits,
        "pg_misses": stats.misses,
        "pg_time_ms": round(0.02 * (stats.hits + stats.misses), 3),
        "api_calls": stats.api_calls,
        "api_time_ms": round(stats.api_time_ms, 3),
    }


ResultT = TypeVar("ResultT")


async def _all(work: Iterable[Coroutine[Any, Any, ResultT]]) -> list[ResultT]:
    return await asyncio.gather(*work)
