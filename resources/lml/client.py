"""The client of LML: one method per endpoint, synchronous, safe to share between threads."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol, Self

import httpx
import orjson

from resources.boot_clock import boot_seconds
from resources.lml import endpoints
from resources.lml.answers import AnswerT
from resources.lml.call_executor import Call, CallExecutor
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
from resources.lml.names import decoded
from resources.lml.reservation import Budget

__all__ = ["Budget", "LmlClient", "LmlConfig", "Span", "SpanFactory", "no_span"]


class Span(Protocol):
    """A span that is open during a call to LML."""

    def set(self, name: str, number: float, /) -> None:
        """Add a numeric attribute."""


class SpanFactory(Protocol):
    """Opens a span. An LmlError that leaves the span decides its status by ``retryable``."""

    def __call__(self, name: str, /, *, op: str, attributes: Mapping[str, str | float]) -> AbstractContextManager[Span]:
        """Open a span that has these attributes from its start."""


class _NoSpan:
    def set(self, name: str, number: float) -> None:
        """Do nothing."""


@contextmanager
def no_span(name: str, *, op: str, attributes: Mapping[str, str | float]) -> Iterator[Span]:  # noqa: ARG001 - a SpanFactory
    """Open no span: the SpanFactory for callers without tracing."""
    yield _NoSpan()


class LmlClient:
    """A client of LML. Every method raises LmlError, which carries ``calls`` and ``latency_ms`` as an answer does.

    Each call is tried up to ``config.attempts`` times where another try can help. A try first reserves from ``budget`` and
    waits as long as the budget requires. After too many failures in a row the client refuses calls without making them
    (LmlUnavailable); after a refused key it refuses every later call (LmlAuthError).

    Args:
        config: where LML is, and the limits of calls to it.
        budget: the station's shared budget of Discogs calls; None for an LML that no other program uses.
        capture: writes sampled request bodies; its creator closes it.
        span: opens the span around a call.
        transport: replaces the sockets, for tests.
        wait: sleeps for the budget and for the throttle of identity resolution, and returns True if the client was closed
            meanwhile; by default ``close`` ends the sleep. The backoff between tries always sleeps.
        on_budget_wait: receives the seconds of each wait for the budget, before the wait.
        clock: seconds that also run while the machine is suspended, for latencies, pauses and instants that are reserved.
    """

    def __init__(
        self,
        config: LmlConfig,
        *,
        budget: Budget | None = None,
        capture: Capture | None = None,
        span: SpanFactory = no_span,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], bool] | None = None,
        on_budget_wait: Callable[[float], None] | None = None,
        clock: Callable[[], float] = boot_seconds,
    ) -> None:
        self._config = config
        self._span = span
        self._executor = CallExecutor(
            config,
            budget=budget,
            capture=capture,
            transport=transport,
            wait=wait,
            on_budget_wait=on_budget_wait,
            clock=clock,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections. No HTTP exchange may be under way; queued calls fail."""
        self._executor.close()

    def bulk_resolve_libraries(
        self, inputs: Sequence[LibraryInput], *, include_tracks: bool = False
    ) -> BulkResolveAnswer:
        """Resolve the artist identity of 1 to 1000 libraries; with ``include_tracks`` also the artists of compilations' tracks.

        Names are decoded. The results are raw, in no particular order: match them by ``library_id``, never by position.
        """
        _check_size("libraries", len(inputs), endpoints.LIBRARIES_CAP)
        body = {"inputs": [_decoded(item.model_dump()) for item in inputs], "include_tracks": include_tracks}
        call = self._call(endpoints.RESOLVE_LIBRARIES, body, cost=self._config.cost_resolve)
        return self._execute(call, BulkResolveAnswer, {"lml.batch_size": len(inputs)})

    def bulk_lookup(self, items: Sequence[LookupItem], *, budget_ms: int, caller: str) -> BulkLookupAnswer:
        """Look up 1 to 100 albums under their decoded names. ``caller`` is the job's name.

        With a ``budget_ms`` above 0 LML ends its work on an album early: ``lookup_cut_off_s``. 0 sends no budget, and LML may
        take its full time. The results are raw: position i must carry ``index`` i.
        """
        _check_size("albums", len(items), endpoints.LOOKUP_CAP)
        call = self._call(
            endpoints.BULK_LOOKUP,
            {"items": [_decoded(item.model_dump(exclude_none=True)) for item in items]},
            cost=len(items) * self._config.cost_lookup_item,
            timeout_s=endpoints.lookup_timeout_s(len(items), budget_ms=budget_ms),
            headers={
                **({"X-Caller-Budget-Ms": str(budget_ms)} if budget_ms else {}),
                "X-Caller-Class": endpoints.CALLER_CLASS,
                "X-Caller-Reason": caller,
            },
        )
        attributes: dict[str, str | float] = {
            "lml.queue_depth": self._executor.queue_depth,
            "lml.bulk.size": len(items),
            "lml.caller": caller,
        }
        return self._execute(call, BulkLookupAnswer, attributes)

    def refresh_for_identities(self, identity_ids: Sequence[int]) -> RefreshAnswer:
        """Warm LML's cache for 1 to 50 identities; LML answers a repeated id as often as it is repeated."""
        _check_size("identities", len(identity_ids), endpoints.REFRESH_CAP)
        cost = len(identity_ids) * self._config.cost_refresh_id
        call = self._call(endpoints.REFRESH, {"identity_ids": list(identity_ids)}, cost=cost)
        attributes = {"lml.batch_size": len(identity_ids), "lml.batch_timeout_ms": round(call.timeout_s * 1000)}
        return self._execute(call, RefreshAnswer, attributes)

    def resolve_identity(self, discogs_release_id: int) -> ResolvedIdentity:
        """Return the identity of a Discogs release; LML mints it if there is none. LmlRequestError (422): it can have none."""
        body = {"kind": "release", "source": "discogs_release", "external_id": str(discogs_release_id)}
        call = self._call(endpoints.RESOLVE_IDENTITY, body, cost=self._config.cost_mint)
        return self._execute(call, ResolvedIdentity, {})

    def probe(self) -> RefreshAnswer:
        """Request a refresh of no ids: LmlAuthError if the key is wrong, LmlRequestError (400, 422) if it is right.

        LML does no work and spends no Discogs call; 404 or 405 means an LML without this endpoint.
        """
        return self._execute(self._call(endpoints.PROBE, {"identity_ids": []}), RefreshAnswer, {})

    def health(self) -> Health:
        """Return LML's own health, without the key, past the breaker and the budget. Unhealthy is an answer too."""
        return self._execute(self._call(endpoints.HEALTH, None), Health, {})

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

    def _execute(self, call: Call, model: type[AnswerT], attributes: Mapping[str, str | float]) -> AnswerT:
        if call.endpoint.span is None:
            return self._executor.execute(call, model)[0]
        with self._span(call.endpoint.span, op="http.client", attributes=attributes) as span:
            answer, payload = self._executor.execute(call, model)
            for name, number in finite_numbers(payload.get("cache_stats")).items():
                span.set(f"lml.cache.{name}", number)
        return answer


def _decoded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of one input as LML is asked: the catalogue has HTML entities in names."""
    return {name: decoded(value) if isinstance(value, str) else value for name, value in fields.items()}


def _check_size(what: str, size: int, cap: int) -> None:
    if not 1 <= size <= cap:
        raise ValueError(f"LML takes 1 to {cap} {what} in one call, not {size}; send them in batches")
