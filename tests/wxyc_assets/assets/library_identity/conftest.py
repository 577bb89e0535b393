"""A library for each test, and the sandbox LML."""

from collections.abc import Iterator

import psycopg
import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.assets.library_identity.harness import LibraryIdentityRuns
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.server import SandboxLml


@pytest.fixture
def empty_library(station: Postgres) -> LibraryIdentityRuns:
    """A station without libraries."""
    return LibraryIdentityRuns(station)


@pytest.fixture
def library(empty_library: LibraryIdentityRuns) -> LibraryIdentityRuns:
    """A station with 400 eligible libraries, ids 1 to 400: 25 in each shard."""
    with empty_library.postgres.connect() as connection:
        generate_libraries(connection, 400, first_id=1)
    return empty_library


@pytest.fixture
def connection(station: Postgres) -> Iterator[psycopg.Connection]:
    with station.connect() as connection:
        yield connection


@pytest.fixture
def sandbox() -> Iterator[SandboxLml]:
    with SandboxLml() as lml:
        yield lml
