"""A rotation of the test's own, and the sandbox LML to run against."""

from collections.abc import Iterator

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.rotation_cache.warmings import Warmings
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml


@pytest.fixture
def empty(station: Postgres) -> Warmings:
    return Warmings(station)


@pytest.fixture
def rotation(empty: Warmings) -> Warmings:
    """A station with 60 active rows, whose identities are 101 to 160."""
    empty.execute(
        "INSERT INTO rotation (rotation_bin, artist_name, lml_identity_id) "
        "SELECT 'M', 'Jessica Pratt', 100 + i FROM generate_series(1, 60) AS i"
    )
    return empty


@pytest.fixture
def sandbox() -> Iterator[SandboxLml]:
    with SandboxLml(discogs=DiscogsConfig(cold_items=0)) as lml:
        yield lml
