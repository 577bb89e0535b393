"""Runs on a station of the test's own, and the sandbox LML to run against."""

from collections.abc import Iterator

import psycopg
import pytest

from resources.postgres import Postgres
from tests.wxyc_assets.library_identity.runs import Runs
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.server import SandboxLml


@pytest.fixture
def runs(station: Postgres) -> Runs:
    return Runs(station)


@pytest.fixture
def shelves(runs: Runs) -> Runs:
    """A station of 400 libraries, all to be asked about: 25 a shard."""
    with runs.postgres.connect() as connection:
        generate_libraries(connection, 400, first_id=1)
    return runs


@pytest.fixture
def connection(station: Postgres) -> Iterator[psycopg.Connection]:
    with station.connect() as connection:
        yield connection


@pytest.fixture
def sandbox() -> Iterator[SandboxLml]:
    with SandboxLml() as lml:
        yield lml
