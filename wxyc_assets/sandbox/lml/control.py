"""/sandbox/*: what the simulation has seen so far, and the faults, over HTTP. Needs no key: loopback only."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from wxyc_assets.sandbox.lml import wire
from wxyc_assets.sandbox.lml.call_log import NS_PER_S
from wxyc_assets.sandbox.lml.discogs import SimulatedDiscogs
from wxyc_assets.sandbox.lml.faults import ArmedFault, Fault, FaultBook
from wxyc_assets.sandbox.lml.traffic import Traffic


def state(discogs: SimulatedDiscogs, traffic: Traffic, faults: FaultBook) -> dict[str, Any]:
    """Return everything that can be observed, as JSON; times are seconds since the server started, monotonic.

    ``discogs.calls_in_window`` counts the window that ends now, ``peak_in_window`` the fullest one ever; ``asked``
    minus ``total`` are the calls still waiting or given up. ``calls`` are the last ones as [at_s, endpoint].
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
        "requests": traffic.counts() | {"in_flight": traffic.in_flight, "in_flight_peak": traffic.in_flight_peak},
        "faults": _armed(faults),
    }


def routes(discogs: SimulatedDiscogs, traffic: Traffic, faults: FaultBook) -> list[Route]:
    """Return GET /sandbox/state and GET, POST, DELETE /sandbox/faults."""

    async def get_state(_request: Request) -> Response:
        return wire.json_response(state(discogs, traffic, faults))

    async def get_faults(_request: Request) -> Response:
        return wire.json_response({"faults": _armed(faults)})

    async def post_fault(request: Request) -> Response:
        try:
            fault = wire.parse(await request.body(), Fault)
        except wire.ApiError as error:
            return error.response()
        faults.arm(fault)
        return wire.json_response(fault.model_dump(), 201)

    async def delete_faults(_request: Request) -> Response:
        return wire.json_response({"cleared": faults.clear()})

    return [
        Route("/sandbox/state", get_state, methods=["GET"]),
        Route("/sandbox/faults", get_faults, methods=["GET"]),
        Route("/sandbox/faults", post_fault, methods=["POST"]),
        Route("/sandbox/faults", delete_faults, methods=["DELETE"]),
    ]


def _armed(faults: FaultBook) -> list[dict[str, Any]]:
    return [_spelled(armed) for armed in faults.armed()]


def _spelled(armed: ArmedFault) -> dict[str, Any]:
    return armed.fault.model_dump() | {"passes_left": armed.passes_left, "hits_left": armed.hits_left}
