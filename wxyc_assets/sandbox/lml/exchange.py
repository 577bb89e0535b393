"""How an answer leaves the sandbox LML: as it is, or hit by a fault."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from wxyc_assets.sandbox.lml.damage import damage
from wxyc_assets.sandbox.lml.faults import ANSWER_KINDS, Fault
from wxyc_assets.sandbox.lml.patience import T, unless_gone
from wxyc_assets.sandbox.lml.wire import ApiError, json_response

_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Exchange:
    """One request on its way to an answer."""

    endpoint: str
    request: Request
    stopping: asyncio.Event
    fault: Fault | None

    async def pause(self, seconds: float) -> None:
        """Sleep, unless nobody waits any more (patience.Gone)."""
        if seconds:
            await unless_gone(self.request, self.stopping, asyncio.sleep(seconds))

    async def work(self, operation: Coroutine[Any, Any, T]) -> T:
        """Return what ``operation`` returns, unless nobody waits any more (patience.Gone)."""
        return await unless_gone(self.request, self.stopping, operation)

    async def hit_before_work(self) -> None:
        """Suffer the faults that need no answer: late, refused, silent or cut off."""
        fault = self.fault
        if fault is None:
            return
        match fault.kind:
            case "latency":
                await self.pause(fault.latency_ms / 1000)
            case "status":
                message = f"answering {fault.status} on request"
                raise ApiError(fault.status, "fault", message, retry_after_s=fault.retry_after_s)
            case "rate_limited":
                retry_after_s = 1 if fault.retry_after_s is None else fault.retry_after_s
                raise ApiError(429, "rate_limited", "too many requests", retry_after_s=retry_after_s)
            case "hang":
                await self._wait_for_the_client_to_leave()
            case "disconnect":
                self.request.state.transport.abort()
                await self._wait_for_the_client_to_leave()

    async def _wait_for_the_client_to_leave(self) -> None:
        await unless_gone(self.request, self.stopping, asyncio.Event().wait())

    def respond(self, answer: dict[str, Any]) -> Response:
        """Return the response with ``answer``, damaged or delivered in the way of the fault."""
        fault = self.fault
        if fault is None:
            return json_response(answer)
        if fault.kind in ANSWER_KINDS:
            return json_response(
                answer | {"results": damage(answer["results"], self.endpoint, fault.kind, fault.items)}
            )
        body = orjson.dumps(answer)
        match fault.kind:
            case "broken_json":
                return Response(body[: len(body) // 2], media_type="application/json")
            case "drip":
                return self._streamed(_pieces(body, fault.items), fault.latency_ms / 1000)
            case "huge_body":
                return self._streamed([b" " * _MIB] * fault.items + [body], 0)
        return json_response(answer)

    def _streamed(self, pieces: list[bytes], pause_s: float) -> Response:
        async def body() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece
                if pause_s and await self._stops_within(pause_s):
                    return

        return StreamingResponse(body(), media_type="application/json")

    async def _stops_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _pieces(body: bytes, count: int) -> list[bytes]:
    size = max(1, -(-len(body) // count))
    return [body[start : start + size] for start in range(0, len(body), size)]
