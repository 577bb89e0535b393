"""A rotation for each test, and the sandbox LML."""

from collections.abc import Iterator

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.assets.rotation_identity.harness import RotationIdentityRuns
from wxyc_assets.sandbox.lml.server import SandboxLml

ROWS = 60


@pytest.fixture
def empty_rotation(station: Postgres) -> RotationIdentityRuns:
    """A station without rotation rows."""
    return RotationIdentityRuns(station)


@pytest.fixture
def rotation(empty_rotation: RotationIdentityRuns) -> RotationIdentityRuns:
    """A station with 60 active rows without identity: ids 1 to 60, each with the release id 1000 + its id."""
    empty_rotation.execute(
        "INSERT INTO rotation (id, rotation_bin, artist_name, discogs_release_id) "
        f"SELECT i, 'M', 'Juana Molina', 1000 + i FROM generate_series(1, {ROWS}) AS i"
    )
    return empty_rotation


@pytest.fixture
def sandbox() -> Iterator[SandboxLml]:
    with SandboxLml() as lml:
        yield lml
