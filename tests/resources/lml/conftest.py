"""A loopback LML and the configuration of its client."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from resources.lml.client import LmlConfig
from tests.resources.lml.loopback import KEY, Loopback, serving


@pytest.fixture
def lml() -> Iterator[Loopback]:
    with serving() as loopback:
        yield loopback


@pytest.fixture
def config(lml: Loopback) -> Callable[..., LmlConfig]:
    """Makes the configuration of a client of that LML, with short waits."""

    def make(**overrides: Any) -> LmlConfig:
        quick = {"backoff_initial_s": 0.001, "backoff_jitter_s": 0.001, "retry_after_max_s": 0.05, "pace_s": 0.0}
        return LmlConfig(**{"base_url": lml.url, "api_key": SecretStr(KEY), **quick, **overrides})

    return make
