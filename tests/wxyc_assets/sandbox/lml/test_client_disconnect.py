"""Work on a request ends with its result, with the client's disconnect, or with the server."""

import asyncio
from contextlib import suppress

import pytest
from starlette.requests import Request

from wxyc_assets.sandbox.lml.client_disconnect import RequestAbandoned, run_until_disconnect


def request_of(client):
    """A request whose body was read; the client disconnects when its event is set."""

    async def receive():
        await client.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http"}, receive)


async def endless(ends):
    try:
        await asyncio.Event().wait()
    finally:
        ends.append("cancelled")


def test_the_result_of_the_work_is_returned():
    async def run():
        return await run_until_disconnect(request_of(asyncio.Event()), asyncio.Event(), asyncio.sleep(0, "done"))

    assert asyncio.run(run()) == "done"


def test_an_error_of_the_work_is_raised():
    async def fail():
        raise LookupError

    async def run():
        await run_until_disconnect(request_of(asyncio.Event()), asyncio.Event(), fail())

    with pytest.raises(LookupError):
        asyncio.run(run())


@pytest.mark.parametrize("end", ["client", "server"])
def test_a_disconnect_or_a_stop_cancels_the_work(end):
    ends: list[str] = []

    async def run():
        client, stopping = asyncio.Event(), asyncio.Event()
        work = asyncio.ensure_future(run_until_disconnect(request_of(client), stopping, endless(ends)))
        await asyncio.sleep(0.01)
        (client if end == "client" else stopping).set()
        await work

    with pytest.raises(RequestAbandoned):
        asyncio.run(run())
    assert ends == ["cancelled"]


def test_cancelling_the_caller_cancels_the_work():
    ends: list[str] = []

    async def run():
        waiting = asyncio.ensure_future(
            run_until_disconnect(request_of(asyncio.Event()), asyncio.Event(), endless(ends))
        )
        await asyncio.sleep(0.01)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting

    asyncio.run(run())
    assert ends == ["cancelled"]
