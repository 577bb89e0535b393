"""Calls of a CallExecutor as the tests make them."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from resources.lml.call_executor import Call, CallExecutor
from resources.lml.endpoints import RESOLVE_LIBRARIES, Endpoint
from resources.lml.errors import LmlError
from resources.lml.models import Answer, BulkResolveAnswer

GIVE_UP_S = 120.0
"""Only a defect waits for so long."""

EMPTY = httpx.Response(200, json={"results": []})


def call(
    executor: CallExecutor,
    endpoint: Endpoint = RESOLVE_LIBRARIES,
    *,
    cost: float = 0.0,
    body: bytes = b'{"inputs": []}',
    model: type[Answer] = BulkResolveAnswer,
) -> Any:
    return executor.execute(Call(endpoint, body, timeout_s=60, cost=cost), model)[0]


def failure(executor: CallExecutor, endpoint: Endpoint = RESOLVE_LIBRARIES, *, cost: float = 0.0) -> LmlError:
    with pytest.raises(LmlError) as caught:
        call(executor, endpoint, cost=cost)
    return caught.value


def scripted(*outcomes: httpx.Response | BaseException) -> httpx.MockTransport:
    """A transport that answers or fails in this order."""
    remaining = iter(outcomes)

    def handle(_: httpx.Request) -> httpx.Response:
        outcome = next(remaining)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return httpx.MockTransport(handle)


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """Return what each of so many threads returned or raised."""
    outcomes: list[Any] = []

    def run() -> None:
        try:
            outcomes.append(work())
        except Exception as error:  # noqa: BLE001 - the outcome is what is tested
            outcomes.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
