"""Passes over a flowsheet of the test's own."""

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.flowsheet_enrichment.passes import Passes
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays


@pytest.fixture
def passes(station: Postgres) -> Passes:
    return Passes(station)


@pytest.fixture
def played(passes: Passes) -> Passes:
    """480 plays that wait, of 160 albums with their metadata: 30 a shard."""
    with passes.postgres.connect() as connection:
        generate_libraries(connection, 160, first_id=1)
        generate_plays(connection, 480)
        connection.execute("INSERT INTO album_metadata (album_id) SELECT id FROM library")
    return passes
