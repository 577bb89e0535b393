"""Waiting on a caller's behalf: work that ends early when the client goes away or the server stops."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

T = TypeVar("T")


class Gone(Exception):  # noqa: N818 - an outcome of waiting, as CancelledError is
    """Nobody waits for this answer any more."""


async def unless_gone(request: Request, stopping: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` returns; cancel it and raise Gone when the client leaves or ``stopping`` is set first.

    The request's body must have been read: what arrives after it is the disconnect.
    """
    task = asyncio.ensure_future(work)
    leaving = [asyncio.ensure_future(_disconnected(request)), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait([task, *leaving], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise Gone
        return task.result()
    finally:
        for each in (task, *leaving):
            each.cancel()
        await asyncio.gather(task, *leaving, return_exceptions=True)


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
