"""The HTTP face of the sandbox LML: routes, bearer auth, error bodies, counting."""

import asyncio
import hmac
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from wxyc_assets.sandbox.lml import control
from wxyc_assets.sandbox.lml.delivery import Exchange
from wxyc_assets.sandbox.lml.faults import Endpoint, FaultBook
from wxyc_assets.sandbox.lml.patience import Gone
from wxyc_assets.sandbox.lml.service import Lml, Operation
from wxyc_assets.sandbox.lml.traffic import Traffic
from wxyc_assets.sandbox.lml.wire import ApiError, json_response

_CLIENT_CLOSED_REQUEST = 499
_UNAVAILABLE = 503
_METHOD_NOT_ALLOWED = 405


@dataclass(frozen=True)
class Settings:
    """``api_key`` None asks for no key; ``latency_ms`` is added to every operation but health."""

    api_key: str | None
    latency_ms: float


@dataclass(frozen=True)
class Sandbox:
    """All that one server holds. ``stopping`` belongs to the server's event loop."""

    lml: Lml
    faults: FaultBook
    traffic: Traffic
    settings: Settings
    stopping: asyncio.Event


def build_app(sandbox: Sandbox) -> Starlette:
    """Return the ASGI application: LML's operations, and /sandbox/* to look inside and to arm faults."""
    lml = sandbox.lml
    posts: list[tuple[str, Endpoint, Operation]] = [
        ("/api/v1/identity/bulk-resolve-libraries", "bulk-resolve-libraries", lml.bulk_resolve),
        ("/api/v1/lookup/bulk", "lookup-bulk", lml.bulk_lookup),
        ("/api/v1/lookup", "lookup", lml.lookup),
        ("/api/v1/cache/refresh-for-identities", "refresh-for-identities", lml.refresh),
        ("/api/v1/identity/resolve", "identity-resolve", lml.resolve),
    ]
    routes = [
        Route(path, _counted(sandbox, endpoint, _handler(sandbox, endpoint, operation)), methods=["POST"])
        for path, endpoint, operation in posts
    ]
    routes.append(
        Route("/health", _counted(sandbox, "health", _handler(sandbox, "health", lml.health)), methods=["GET"])
    )
    routes += control.routes(sandbox.lml.discogs, sandbox.traffic, sandbox.faults)
    return Starlette(routes=routes, exception_handlers={HTTPException: _http_error})


_Handler = Callable[[Request], Awaitable[Response]]


def _handler(sandbox: Sandbox, endpoint: Endpoint, operation: Operation) -> _Handler:
    """Return the request handler of one operation: key, fault, latency, answer, and the fault's delivery."""

    async def handle(request: Request) -> Response:
        arrived_s = time.monotonic()
        raw = await request.body()
        sandbox.traffic.record(request.method, request.url.path, dict(request.headers), raw)
        if endpoint != "health":
            _authorize(request, sandbox.settings.api_key)
        exchange = Exchange(endpoint, request, sandbox.stopping, sandbox.faults.take(endpoint))
        await exchange.hit_before_work()
        if endpoint != "health":
            await exchange.pause(sandbox.settings.latency_ms / 1000)
        budget_s = _budget_s(request)
        left_s = None if budget_s is None else max(0.0, budget_s - (time.monotonic() - arrived_s))
        return exchange.respond(await exchange.work(operation(raw, left_s)))

    return handle


def _counted(sandbox: Sandbox, endpoint: Endpoint, handle: _Handler) -> _Handler:
    async def counted(request: Request) -> Response:
        sandbox.traffic.enter(endpoint)
        status = _UNAVAILABLE
        try:
            response = await _answered(sandbox, handle, request)
            status = response.status_code
            return response
        finally:
            sandbox.traffic.leave(status)

    return counted


async def _answered(sandbox: Sandbox, handle: _Handler, request: Request) -> Response:
    try:
        return await handle(request)
    except ApiError as error:
        return error.response()
    except (Gone, ClientDisconnect):
        return Response(status_code=_UNAVAILABLE if sandbox.stopping.is_set() else _CLIENT_CLOSED_REQUEST)


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
