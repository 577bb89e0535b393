"""A sandbox LML for each test that needs one, and a client with its key."""

from collections.abc import Iterator

import httpx
import pytest

from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml


@pytest.fixture
def lml() -> Iterator[SandboxLml]:
    with SandboxLml(api_key="a-key-of-tests", discogs=DiscogsConfig(cold_items=0), record_bodies=True) as server:
        yield server


@pytest.fixture
def client(lml: SandboxLml) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=lml.url, headers={"Authorization": "Bearer a-key-of-tests"}, timeout=10) as client:
        yield client
