"""/sandbox/*: the state of the simulation and its faults, over HTTP. Needs no key, because the server is on loopback."""

from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wxyc_assets.sandbox.lml import wire
from wxyc_assets.sandbox.lml.call_log import NS_PER_S
from wxyc_assets.sandbox.lml.discogs import BreakerState, SimulatedDiscogs
from wxyc_assets.sandbox.lml.faults import ArmedFault, Fault, FaultRegistry
from wxyc_assets.sandbox.lml.request_log import RequestLog


class BreakerBody(BaseModel):
    """POST /sandbox/breaker: LML's circuit breaker in front of Discogs; null: it has none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: BreakerState | None


def state(discogs: SimulatedDiscogs, request_log: RequestLog, faults: FaultRegistry) -> dict[str, Any]:
    """Return the observable state as JSON; times are seconds since the server started, on a monotonic clock.

    ``discogs.calls_in_window`` counts the window that ends now, ``peak_in_window`` the fullest window so far. ``asked``
    minus ``total`` is the number of calls that still wait or were cancelled. ``calls`` has the last ones as
    [at_s, endpoint].
    """
    now_ns = discogs.clock_ns()
    log = discogs.log
    return {
        "uptime_s": (now_ns - discogs.started_ns) / NS_PER_S,
        "discogs": {
            "config": asdict(discogs.config),
            "calls_in_window": log.in_last_window(now_ns),
            "peak_in_window": log.peak,
            "total": log.total,
            "asked": discogs.asked,
            "longest_wait_ms": discogs.longest_wait_ms,
            "by_endpoint": log.by_endpoint(),
            "calls": [[(call.at_ns - discogs.started_ns) / NS_PER_S, call.endpoint] for call in log.recent()],
        },
        "requests": request_log.counts()
        | {"in_flight": request_log.in_flight, "in_flight_peak": request_log.in_flight_peak},
        "breaker_state": discogs.breaker_state,
        "faults": _armed_faults(faults),
    }


def routes(discogs: SimulatedDiscogs, request_log: RequestLog, faults: FaultRegistry) -> list[Route]:
    """Return GET /sandbox/state, POST /sandbox/breaker, and GET, POST, DELETE /sandbox/faults."""

    async def get_state(_request: Request) -> Response:
        return wire.json_response(state(discogs, request_log, faults))

    async def get_faults(_request: Request) -> Response:
        return wire.json_response({"faults": _armed_faults(faults)})

    async def post_fault(request: Request) -> Response:
        try:
            fault = wire.parse(await request.body(), Fault)
        except wire.ApiError as error:
            return error.response()
        faults.arm(fault)
        return wire.json_response(fault.model_dump(), 201)

    async def post_breaker(request: Request) -> Response:
        try:
            discogs.breaker_state = wire.parse(await request.body(), BreakerBody).state
        except wire.ApiError as error:
            return error.response()
        return wire.json_response({"state": discogs.breaker_state})

    async def delete_faults(_request: Request) -> Response:
        return wire.json_response({"cleared": faults.clear()})

    return [
        Route("/sandbox/state", get_state, methods=["GET"]),
        Route("/sandbox/breaker", post_breaker, methods=["POST"]),
        Route("/sandbox/faults", get_faults, methods=["GET"]),
        Route("/sandbox/faults", post_fault, methods=["POST"]),
        Route("/sandbox/faults", delete_faults, methods=["DELETE"]),
    ]


def _armed_faults(faults: FaultRegistry) -> list[dict[str, Any]]:
    return [_fault_as_json(armed) for armed in faults.armed()]


def _fault_as_json(armed: ArmedFault) -> dict[str, Any]:
    return armed.fault.model_dump() | {"passes_left": armed.passes_left, "hits_left": armed.hits_left}
