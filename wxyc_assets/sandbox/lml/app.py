"""The HTTP interface of the sandbox LML: routes, bearer authentication, error bodies, request counts."""

import asyncio
import hmac
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from wxyc_assets.sandbox.lml import control
from wxyc_assets.sandbox.lml.client_disconnect import RequestAbandoned
from wxyc_assets.sandbox.lml.exchange import Exchange
from wxyc_assets.sandbox.lml.faults import Endpoint, FaultRegistry
from wxyc_assets.sandbox.lml.request_log import RequestLog
from wxyc_assets.sandbox.lml.service import LmlService, Operation
from wxyc_assets.sandbox.lml.wire import ApiError, json_response

_CLIENT_CLOSED_REQUEST = 499
_UNAVAILABLE = 503
_METHOD_NOT_ALLOWED = 405


@dataclass(frozen=True)
class Settings:
    """With ``api_key`` None the server needs no key; every operation except health takes ``latency_ms`` longer."""

    api_key: str | None
    latency_ms: float


OnAnswer = Callable[[Endpoint, bytes, dict[str, Any]], object]
"""Receives the endpoint, the request's body and the answer as its fault changed it, on the server's event loop."""


@dataclass(frozen=True)
class AppState:
    """The state of one server. ``stopping`` belongs to the server's event loop."""

    service: LmlService
    faults: FaultRegistry
    request_log: RequestLog
    settings: Settings
    stopping: asyncio.Event
    on_answer: OnAnswer | None = None


def build_app(state: AppState) -> Starlette:
    """Return the ASGI application: LML's operations, and /sandbox/* to read the state and to arm faults."""
    service = state.service
    posts: list[tuple[str, Endpoint, Operation]] = [
        ("/api/v1/identity/bulk-resolve-libraries", "bulk-resolve-libraries", service.bulk_resolve),
        ("/api/v1/lookup/bulk", "lookup-bulk", service.bulk_lookup),
        ("/api/v1/lookup", "lookup", service.lookup),
        ("/api/v1/cache/refresh-for-identities", "refresh-for-identities", service.refresh),
        ("/api/v1/identity/resolve", "identity-resolve", service.resolve),
    ]
    routes = [
        Route(path, _counted(state, endpoint, _handler(state, endpoint, operation)), methods=["POST"])
        for path, endpoint, operation in posts
    ]
    routes.append(
        Route("/health", _counted(state, "health", _handler(state, "health", service.health)), methods=["GET"])
    )
    routes += control.routes(service.discogs, state.request_log, state.faults)
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error})


_Handler = Callable[[Request], Awaitable[Response]]


def _handler(state: AppState, endpoint: Endpoint, operation: Operation) -> _Handler:
    """Return the handler of one operation: check the key, apply the fault, add the latency, answer."""

    async def handle(request: Request) -> Response:
        arrived_s = time.monotonic()
        raw = await request.body()
        state.request_log.record(request.method, request.url.path, dict(request.headers), raw)
        if endpoint != "health":
            _authorize(request, state.settings.api_key)
        exchange = Exchange(endpoint, request, state.stopping, state.faults.take(endpoint))
        await exchange.inject_before_work()
        if endpoint != "health":
            await exchange.sleep(state.settings.latency_ms / 1000)
        budget_s = _budget_s(request)
        left_s = None if budget_s is None else max(0.0, budget_s - (time.monotonic() - arrived_s))
        answer = exchange.corrupted(await exchange.run(operation(raw, left_s)))
        if state.on_answer:
            state.on_answer(endpoint, raw, answer)
        return exchange.respond(answer)

    return handle


def _counted(state: AppState, endpoint: Endpoint, handle: _Handler) -> _Handler:
    async def counted(request: Request) -> Response:
        state.request_log.begin(endpoint)
        status = _UNAVAILABLE
        try:
            response = await _answer_or_refuse(state, handle, request)
            status = response.status_code
            return response
        finally:
            state.request_log.end(status)

    return counted


async def _answer_or_refuse(state: AppState, handle: _Handler, request: Request) -> Response:
    try:
        return await handle(request)
    except ApiError as error:
        return error.response()
    except (RequestAbandoned, ClientDisconnect):
        return Response(status_code=_UNAVAILABLE if state.stopping.is_set() else _CLIENT_CLOSED_REQUEST)


def _authorize(request: Request, api_key: str | None) -> None:
    """Raise ApiError 401 unless the request carries the key."""
    if api_key is None:
        return
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), api_key.encode()):
        raise ApiError(401, "unauthorized", "missing or wrong bearer token")


def _budget_s(request: Request) -> float | None:
    try:
        budget_ms = float(request.headers.get("x-caller-budget-ms", ""))
    except ValueError:
        return None
    return budget_ms / 1000 if math.isfinite(budget_ms) and budget_ms > 0 else None


async def _http_error(request: Request, error: Exception) -> Response:
    """Answer 404 and 405 with LML's error body."""
    if not isinstance(error, HTTPException):
        raise error
    code = "method_not_allowed" if error.status_code == _METHOD_NOT_ALLOWED else "not_found"
    message = f"{error.detail}: {request.method} {request.url.path}"
    return json_response({"message": message, "code": code}, error.status_code, dict(error.headers or {}))
