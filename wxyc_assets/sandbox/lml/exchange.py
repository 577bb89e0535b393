"""One request and its answer: where the sandbox LML applies a fault to an exchange."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from wxyc_assets.sandbox.lml.client_disconnect import T, run_until_disconnect
from wxyc_assets.sandbox.lml.corruption import corrupt
from wxyc_assets.sandbox.lml.faults import ANSWER_KINDS, Fault
from wxyc_assets.sandbox.lml.wire import ApiError, json_response

_MIB: Final = 1 << 20


@dataclass(frozen=True)
class Exchange:
    """One request on its way to an answer. Methods that wait raise RequestAbandoned if the client disconnects."""

    endpoint: str
    request: Request
    stopping: asyncio.Event
    fault: Fault | None

    async def sleep(self, seconds: float) -> None:
        """Sleep, unless the client disconnects or the server stops."""
        if seconds:
            await self.run(asyncio.sleep(seconds))

    async def run(self, operation: Coroutine[Any, Any, T]) -> T:
        """Return the result of ``operation``, unless the client disconnects or the server stops."""
        return await run_until_disconnect(self.request, self.stopping, operation)

    async def inject_before_work(self) -> None:
        """Apply a fault that needs no answer: latency, an error status, no answer at all, or a closed connection."""
        fault = self.fault
        if fault is None:
            return
        match fault.kind:
            case "latency":
                await self.sleep(fault.latency_ms / 1000)
            case "status":
                message = f"answering {fault.status} on request"
                raise ApiError(fault.status, "fault", message, retry_after_s=fault.retry_after_s)
            case "rate_limited":
                retry_after_s = 1 if fault.retry_after_s is None else fault.retry_after_s
                raise ApiError(429, "rate_limited", "too many requests", retry_after_s=retry_after_s)
            case "hang":
                await self._wait_for_disconnect()
            case "disconnect":
                self.request.state.transport.abort()
                await self._wait_for_disconnect()

    async def _wait_for_disconnect(self) -> None:
        await self.run(asyncio.Event().wait())

    def corrupted(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return ``answer`` as the fault changes its content."""
        fault = self.fault
        if fault is None or fault.kind not in ANSWER_KINDS:
            return answer
        return answer | {"results": corrupt(answer["results"], self.endpoint, fault.kind, fault.items, fault.says)}

    def respond(self, answer: dict[str, Any]) -> Response:
        """Return the response with ``answer``, sent as the fault says."""
        fault = self.fault
        if fault is None or fault.kind in ANSWER_KINDS:
            return json_response(answer)
        body = orjson.dumps(answer)
        match fault.kind:
            case "broken_json":
                return Response(body[: len(body) // 2], media_type="application/json")
            case "drip":
                return self._streamed(_chunks(body, fault.items), fault.latency_ms / 1000)
            case "huge_body":
                return self._streamed([b" " * _MIB] * fault.items + [body], 0)
        return json_response(answer)

    def _streamed(self, chunks: list[bytes], pause_s: float) -> Response:
        async def body() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk
                if pause_s and await self._stops_within(pause_s):
                    return

        return StreamingResponse(body(), media_type="application/json")

    async def _stops_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return False
        return True


def _chunks(body: bytes, count: int) -> list[bytes]:
    size = max(1, -(-len(body) // count))
    return [body[start : start + size] for start in range(0, len(body), size)]
