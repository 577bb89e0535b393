"""The sandbox LML without HTTP: what each operation answers, and what it spends at Discogs to do so."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from wxyc_assets.sandbox.lml import lookups, refreshes, wire
from wxyc_assets.sandbox.lml.discogs import SimulatedDiscogs, Spend
from wxyc_assets.sandbox.lml.verdicts import verdict


@dataclass
class Lml:
    """The operations of LML. ``budget_s`` is the caller's X-Caller-Budget-Ms; None waits as long as it takes."""

    discogs: SimulatedDiscogs
    commit_sha: str | None = None
    _minted: set[int] = field(default_factory=set)

    async def bulk_resolve(self, raw: bytes, _budget_s: float | None) -> dict[str, Any]:
        """Answer from the names alone, never from Discogs."""
        decoded = wire.parse_json(raw)
        wire.refuse_over(decoded, "inputs", wire.MAX_LIBRARIES, 413)
        body = wire.shaped(decoded, wire.BulkResolveBody)
        include_tracks = bool(body.include_tracks)
        return {
            "results": [
                verdict(one.library_id, one.artist_name, one.album_title, include_tracks=include_tracks)
                for one in body.inputs
            ],
            "cache_stats": _cache_stats(Spend("bulk-resolve-libraries", hits=len(body.inputs))),
            "tracks_contract_version": None,
        }

    async def bulk_lookup(self, raw: bytes, budget_s: float | None) -> dict[str, Any]:
        """Look albums up; those that Discogs could not answer within the budget come back degraded, as no_match."""
        decoded = wire.parse_json(raw)
        wire.refuse_over(decoded, "items", wire.MAX_LOOKUPS, 400)
        body = wire.shaped(decoded, wire.BulkLookupBody)
        spend = Spend("lookup-bulk")
        answers = await _all(self._lookup(item, spend, budget_s) for item in body.items)
        return {
            "results": [_bulk_item(index, answer) for index, answer in enumerate(answers)],
            "cache_stats": _cache_stats(spend),
        }

    async def lookup(self, raw: bytes, budget_s: float | None) -> dict[str, Any]:
        """Look one album up."""
        body = wire.parse(raw, wire.LookupBody)
        spend = Spend("lookup")
        answer = await self._lookup(body, spend, budget_s)
        if answer is None:
            raise wire.ApiError(422, "validation_error", "raw_message: names no album")
        return answer | {"cache_stats": _cache_stats(spend)}

    async def refresh(self, raw: bytes, budget_s: float | None) -> dict[str, Any]:
        """Warm the cache for identities; a duplicate gets a result of its own."""
        decoded = wire.parse_json(raw)
        wire.refuse_over(decoded, "identity_ids", wire.MAX_IDENTITIES, 400)
        body = wire.shaped(decoded, wire.RefreshBody)
        spend = Spend("refresh-for-identities")
        return {"results": await _all(self._refresh(one, spend, budget_s) for one in body.identity_ids)}

    async def resolve(self, raw: bytes, _budget_s: float | None) -> dict[str, Any]:
        """Give a release its identity."""
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
        """Say that all is well; ``commit_sha`` is null in production today."""
        services = {"database": "ok", "discogs_api": "ok", "discogs_cache": "ok"}
        return {"status": "healthy", "version": "sandbox", "commit_sha": self.commit_sha, "services": services}

    async def _lookup(self, item: wire.LookupBody, spend: Spend, budget_s: float | None) -> dict[str, Any] | None:
        artist, album = _album_of(item)
        if not artist and not album:
            return None
        if not await self._warm(f"release {lookups.release_of(artist, album)}", 1, spend, budget_s):
            return lookups.cut_off()
        return lookups.found(artist, album, extended=bool(item.extended))

    async def _refresh(self, identity_id: int, spend: Spend, budget_s: float | None) -> dict[str, Any]:
        calls = refreshes.calls_of(identity_id)
        if calls and not await self._warm(f"identity {identity_id}", calls, spend, budget_s):
            return refreshes.failed(identity_id, "deadline exceeded")
        return refreshes.warmed(identity_id)

    async def _warm(self, release: str, calls: int, spend: Spend, budget_s: float | None) -> bool:
        """Have ``release`` in the cache; False when the budget ran out before its calls were made."""
        if self.discogs.is_cached(release):
            spend.hits += 1
            return True
        spend.misses += 1
        try:
            async with asyncio.timeout(budget_s):
                for _ in range(calls):
                    await self.discogs.call(spend)
        except TimeoutError:
            return False
        self.discogs.warm(release)
        return True


Operation = Callable[[bytes, float | None], Coroutine[Any, Any, dict[str, Any]]]
"""One operation of ``Lml``: request body and budget in seconds in, JSON answer out; raises ``wire.ApiError``."""


def _bulk_item(index: int, answer: dict[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        return {"index": index, "status": "error", "lookup": None, "message": "raw_message: names no album"}
    return {"index": index, "status": "match" if answer["results"] else "no_match", "lookup": answer}


def _album_of(item: wire.LookupBody) -> tuple[str, str]:
    if item.artist or item.album:
        return (item.artist or "").strip(), (item.album or "").strip()
    artist, _, album = item.raw_message.partition(" - ")
    return artist.strip(), album.strip()


def _cache_stats(spend: Spend) -> dict[str, int | float]:
    return {
        "memory_hits": 0,
        "pg_hits": spend.hits,
        "pg_misses": spend.misses,
        "pg_time_ms": round(0.02 * (spend.hits + spend.misses), 3),
        "api_calls": spend.api_calls,
        "api_time_ms": round(spend.api_time_ms, 3),
    }


ResultT = TypeVar("ResultT")


async def _all(work: Iterable[Coroutine[Any, Any, ResultT]]) -> list[ResultT]:
    return await asyncio.gather(*work)
