"""Runs on a station of the test's own whose albums were played, and the sandbox LML to run against."""

from collections.abc import Iterator

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.album_metadata.runs import Runs
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml


@pytest.fixture
def runs(station: Postgres) -> Runs:
    return Runs(station)


@pytest.fixture
def played(runs: Runs) -> Runs:
    """A station of 160 albums, each with two pending plays: 10 albums a shard."""
    with runs.postgres.connect() as connection:
        generate_libraries(connection, 160, first_id=1)
        generate_plays(connection, 320)
    return runs


@pytest.fixture
def sandbox() -> Iterator[SandboxLml]:
    with SandboxLml(discogs=DiscogsConfig(cold_items=0), record_bodies=True) as lml:
        yield lml
