"""A rotation of the test's own, and the sandbox LML to run against."""

from collections.abc import Iterator

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.rotation_identity.rotations import Rotations
from wxyc_assets.sandbox.lml.server import SandboxLml

ROWS = 60


@pytest.fixture
def empty(station: Postgres) -> Rotations:
    return Rotations(station)


@pytest.fixture
def rotation(empty: Rotations) -> Rotations:
    """A station with 60 active rows, 1 to 60, whose release is 1000 more than their id, and that have no identity."""
    empty.execute(
        "INSERT INTO rotation (id, rotation_bin, artist_name, discogs_release_id) "
        f"SELECT i, 'M', 'Juana Molina', 1000 + i FROM generate_series(1, {ROWS}) AS i"
    )
    return empty


@pytest.fixture
def sandbox() -> Iterator[SandboxLml]:
    with SandboxLml() as lml:
        yield lml
