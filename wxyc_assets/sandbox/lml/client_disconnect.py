"""Cancels the work on a request when the client disconnects or the server stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")


class RequestAbandoned(Exception):  # noqa: N818 - an outcome of waiting, as CancelledError is
    """The client disconnected or the server is stopping: the answer has no receiver."""


async def run_until_disconnect(request: Request, stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of ``work``; cancel it and raise RequestAbandoned if the client disconnects or ``stopping`` is set.

    The caller must have read the request's body: the next message from the client is then the disconnect.
    """
    task = asyncio.ensure_future(work)
    ends = [asyncio.ensure_future(_disconnected(request)), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait([task, *ends], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise RequestAbandoned
        return task.result()
    finally:
        for each in (task, *ends):
            each.cancel()
        await asyncio.gather(task, *ends, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
