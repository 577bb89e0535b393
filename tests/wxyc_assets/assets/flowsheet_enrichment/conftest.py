"""Runs over the flowsheet of a test's own station."""

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import FlowsheetEnrichmentRuns
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays


@pytest.fixture
def empty_flowsheet(station: Postgres) -> FlowsheetEnrichmentRuns:
    """A station without plays."""
    return FlowsheetEnrichmentRuns(station)


@pytest.fixture
def flowsheet(empty_flowsheet: FlowsheetEnrichmentRuns) -> FlowsheetEnrichmentRuns:
    """480 waiting plays, ids 1 to 480, of 160 albums with metadata: 30 in each shard."""
    with empty_flowsheet.postgres.connect() as connection:
        generate_libraries(connection, 160, first_id=1)
        generate_plays(connection, 480)
        connection.execute("INSERT INTO album_metadata (album_id, discogs_url) SELECT id, 'd' FROM library")
    return empty_flowsheet


@pytest.fixture
def small_chunks(flowsheet: FlowsheetEnrichmentRuns) -> None:
    """Let each transaction mark at most 50 plays."""
    flowsheet.chunk_plays = 50
