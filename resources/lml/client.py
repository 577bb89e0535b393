"""Owns how the assets call LML: one method an endpoint. Plain objects, synchronous, safe to share between threads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, Self

import httpx
import orjson

from resources.lml import endpoints
from resources.lml.answers import AnswerT
from resources.lml.booking import Budget
from resources.lml.caller import Call, Caller
from resources.lml.capture import Capture
from resources.lml.config import LmlConfig
from resources.lml.endpoints import Endpoint
from resources.lml.models import (
    BulkLookupAnswer,
    BulkResolveAnswer,
    Health,
    LibraryInput,
    LookupItem,
    RefreshAnswer,
    ResolvedIdentity,
    finite_numbers,
)

__all__ = ["Budget", "LmlClient", "LmlConfig", "Span", "SpanFactory", "no_span"]


class Span(Protocol):
    """What is open while LML is being called."""

    def set(self, name: str, number: float, /) -> None:
        """Add a numeric attribute."""


class SpanFactory(Protocol):
    """Opens a span. An LmlError that leaves it says with ``retryable`` what its status is."""

    def __call__(self, name: str, /, *, op: str, attributes: Mapping[str, str | float]) -> AbstractContextManager[Span]:
        """Open a span that has these attributes from its start."""


class _NoSpan:
    def set(self, name: str, number: float) -> None:
        """Forget it."""


@contextmanager
def no_span(name: str, *, op: str, attributes: Mapping[str, str | float]) -> Iterator[Span]:  # noqa: ARG001 - a SpanFactory
    """Open nothing: the SpanFactory of those who do not watch."""
    yield _NoSpan()


class LmlClient:
    """A client of LML. Every method raises LmlError, whose ``calls`` and ``latency_ms`` count as those of an answer do.

    Each call is tried up to ``config.attempts`` times where that can help. A try first reserves from ``budget`` and
    waits, through ``pause``, as long as it is told to. After too many failures in a row calls are refused without
    being made (LmlUnavailable); after a refused key every later one is (LmlAuthError).

    Args:
        config: where LML is and how it is to be treated.
        budget: the station-wide allowance of Discogs calls; None for an LML that nobody shares.
        capture: keeps sampled request bodies; the caller closes it.
        span: opens the span around a call.
        transport: replaces the sockets, for tests.
        pause: waits for the budget and for the pace of identity resolution, and says whether it was cut short; by default
            ``close`` cuts it short. Backoff between tries really sleeps.
    """

    def __init__(
        self,
        config: LmlConfig,
        *,
        budget: Budget | None = None,
        capture: Capture | None = None,
        span: SpanFactory = no_span,
        transport: httpx.BaseTransport | None = None,
        pause: Callable[[float], bool] | None = None,
    ) -> None:
        self._config = config
        self._span = span
        self._caller = Caller(config, budget=budget, capture=capture, transport=transport, pause=pause)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. No call may be under way."""
        self._caller.close()

    def bulk_resolve_libraries(self, inputs: Sequence[LibraryInput]) -> BulkResolveAnswer:
        """Ask who made each of 1 to 1000 libraries. Tracks are not asked for.

        The results are raw, in no promised order: match them by ``library_id``, never by position.
        """
        _check_size("libraries", len(inputs), endpoints.LIBRARIES_CAP)
        body = {"inputs": [item.model_dump() for item in inputs], "include_tracks": False}
        call = self._call(endpoints.RESOLVE_LIBRARIES, body, cost=self._config.cost_resolve)
        return self._watched(call, BulkResolveAnswer, {"lml.batch_size": len(inputs)})

    def bulk_lookup(self, items: Sequence[LookupItem], *, budget_ms: int, caller: str) -> BulkLookupAnswer:
        """Look up 1 to 100 albums; LML stops asking Discogs after ``budget_ms``. ``caller`` is the job's name.

        The results are raw: position i must carry ``index`` i.
        """
        _check_size("albums", len(items), endpoints.LOOKUP_CAP)
        call = self._call(
            endpoints.BULK_LOOKUP,
            {"items": [item.model_dump(exclude_none=True) for item in items]},
            cost=len(items) * self._config.cost_lookup_item,
            timeout_s=endpoints.lookup_timeout_s(len(items)),
            headers={
                "X-Caller-Budget-Ms": str(budget_ms),
                "X-Caller-Class": endpoints.CALLER_CLASS,
                "X-Caller-Reason": caller,
            },
        )
        attributes: dict[str, str | float] = {
            "lml.queue_depth": self._caller.waiting,
            "lml.bulk.size": len(items),
            "lml.caller": caller,
        }
        return self._watched(call, BulkLookupAnswer, attributes)

    def refresh_for_identities(self, identity_ids: Sequence[int]) -> RefreshAnswer:
        """Warm LML's cache for 1 to 50 identities; a repeated id is answered as often."""
        _check_size("identities", len(identity_ids), endpoints.REFRESH_CAP)
        cost = len(identity_ids) * self._config.cost_refresh_id
        call = self._call(endpoints.REFRESH, {"identity_ids": list(identity_ids)}, cost=cost)
        attributes = {"lml.batch_size": len(identity_ids), "lml.batch_timeout_ms": round(call.timeout_s * 1000)}
        return self._watched(call, RefreshAnswer, attributes)

    def resolve_identity(self, discogs_release_id: int) -> ResolvedIdentity:
        """Return the identity of a Discogs release, minting it if need be. LmlRequestError (422): it has none."""
        body = {"kind": "release", "source": "discogs_release", "external_id": str(discogs_release_id)}
        call = self._call(endpoints.RESOLVE_IDENTITY, body, cost=self._config.cost_mint)
        return self._watched(call, ResolvedIdentity, {})

    def probe(self) -> RefreshAnswer:
        """Ask to refresh nothing: LmlAuthError if the key is wrong, LmlRequestError (400, 422) if it is right.

        Does no work and spends no Discogs call; 404 or 405 means an LML without this endpoint.
        """
        return self._watched(self._call(endpoints.PROBE, {"identity_ids": []}), RefreshAnswer, {})

    def health(self) -> Health:
        """Ask LML how it is, without the key, whatever the breaker and the budget say. Unhealthy is an answer too."""
        return self._watched(self._call(endpoints.HEALTH, None), Health, {})

    def _call(
        self,
        endpoint: Endpoint,
        body: Mapping[str, Any] | None,
        *,
        cost: float = 0.0,
        timeout_s: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Call:
        own_timeout_s = endpoint.timeout_s if timeout_s is None else timeout_s
        return Call(
            endpoint=endpoint,
            body=None if body is None else orjson.dumps(body),
            timeout_s=self._config.timeouts_s.get(endpoint.name, own_timeout_s),
            cost=cost,
            headers=headers or {},
        )

    def _watched(self, call: Call, model: type[AnswerT], attributes: Mapping[str, str | float]) -> AnswerT:
        if call.endpoint.span is None:
            return self._caller.run(call, model)[0]
        with self._span(call.endpoint.span, op="http.client", attributes=attributes) as span:
            answer, payload = self._caller.run(call, model)
            for name, number in finite_numbers(payload.get("cache_stats")).items():
                span.set(f"lml.cache.{name}", number)
        return answer


def _check_size(what: str, size: int, cap: int) -> None:
    if not 1 <= size <= cap:
        raise ValueError(f"LML takes 1 to {cap} {what} in one call, not {size}; send them in batches")
