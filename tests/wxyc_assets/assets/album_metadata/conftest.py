"""Albums for each test, and the sandbox LML."""

from collections.abc import Iterator

import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.assets.album_metadata.harness import AlbumMetadataRuns
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml


@pytest.fixture
def empty_station(station: Postgres) -> AlbumMetadataRuns:
    """A station without albums."""
    return AlbumMetadataRuns(station)


@pytest.fixture
def albums(empty_station: AlbumMetadataRuns) -> AlbumMetadataRuns:
    """A station with 160 albums, ids 1 to 160, each with two pending plays: 10 albums in each shard."""
    with empty_station.postgres.connect() as connection:
        generate_libraries(connection, 160, first_id=1)
        generate_plays(connection, 320)
    return empty_station


@pytest.fixture
def sandbox() -> Iterator[SandboxLml]:
    with SandboxLml(discogs=DiscogsConfig(cold_items=0), record_bodies=True) as lml:
        yield lml
