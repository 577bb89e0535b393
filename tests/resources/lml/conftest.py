"""A loopback LML, the configuration of its client, and a database with io_log."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import tenacity.nap
from pydantic import SecretStr

from resources.lml.call_executor import CallExecutor
from resources.lml.client import LmlConfig
from tests.resources.lml.fakes import FakeClock
from tests.resources.lml.io_log import IoLog
from tests.resources.lml.loopback import KEY, Loopback, serving


@pytest.fixture
def lml() -> Iterator[Loopback]:
    with serving() as loopback:
        yield loopback


@pytest.fixture
def config(lml: Loopback) -> Callable[..., LmlConfig]:
    """Makes the configuration of a client of that LML, with short waits."""

    def make(**overrides: Any) -> LmlConfig:
        quick = {
            "backoff_initial_s": 0.001,
            "backoff_jitter_s": 0.001,
            "retry_after_max_s": 0.05,
            "min_interval_s": 0.0,
        }
        return LmlConfig(**{"base_url": lml.url, "api_key": SecretStr(KEY), **quick, **overrides})

    return make


@pytest.fixture
def io_log(database: str) -> IoLog:
    return IoLog(database)


@pytest.fixture
def make(config: Callable[..., LmlConfig]) -> Iterator[Callable[..., CallExecutor]]:
    """Makes an executor for the loopback LML: ``make({"budget": …}, attempts=1)``."""
    made: list[CallExecutor] = []

    def make(parts: dict[str, Any] | None = None, **overrides: Any) -> CallExecutor:
        made.append(CallExecutor(config(**overrides), **(parts or {})))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    """A clock on which the backoff between tries sleeps, too."""
    clock = FakeClock()
    monkeypatch.setattr(tenacity.nap, "time", clock)
    return clock
