"""A rotation for each test, and the sandbox LML."""

from collections.abc import Iterator

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.assets.rotation_cache.harness import RotationCacheRuns
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml


@pytest.fixture
def empty_rotation(station: Postgres) -> RotationCacheRuns:
    """A station without rotation rows."""
    return RotationCacheRuns(station)


@pytest.fixture
def rotation(empty_rotation: RotationCacheRuns) -> RotationCacheRuns:
    """A station with 60 active rows with the identities 101 to 160."""
    empty_rotation.execute(
        "INSERT INTO rotation (rotation_bin, artist_name, lml_identity_id) "
        "SELECT 'M', 'Jessica Pratt', 100 + i FROM generate_series(1, 60) AS i"
    )
    return empty_rotation


@pytest.fixture
def sandbox() -> Iterator[SandboxLml]:
    with SandboxLml(discogs=DiscogsConfig(cold_items=0)) as lml:
        yield lml
