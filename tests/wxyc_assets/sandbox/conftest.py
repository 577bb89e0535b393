"""Stations for the tests: created once and cloned, because a clone takes a fifth of a second."""

from collections.abc import Iterator

import psycopg
import pytest

from wxyc_assets.sandbox import station


def connect(dsn):
    """A session like those of the assets: autocommit, UTC, the station's schemas."""
    connection = psycopg.connect(dsn, autocommit=True)
    connection.execute("SET search_path TO wxyc_schema, public")
    connection.execute("SET timezone TO 'UTC'")
    return connection


def _template(server, *, sample):
    dsn = server.create_database()
    with psycopg.connect(dsn, autocommit=True) as connection:
        station.create(connection, sample=sample)
    return dsn


@pytest.fixture(scope="session")
def empty_template(server) -> Iterator[str]:
    dsn = _template(server, sample=False)
    yield dsn
    server.drop_database(dsn)


@pytest.fixture(scope="session")
def sample_template(server) -> Iterator[str]:
    dsn = _template(server, sample=True)
    yield dsn
    server.drop_database(dsn)


@pytest.fixture
def empty_station(server, empty_template) -> Iterator[psycopg.Connection]:
    """A session on a station without rows."""
    dsn = server.create_database(template=psycopg.conninfo.conninfo_to_dict(empty_template)["dbname"])
    with connect(dsn) as connection:
        yield connection
    server.drop_database(dsn)


@pytest.fixture
def sample_station(server, sample_template) -> Iterator[psycopg.Connection]:
    """A read-only session on the sample station."""
    with connect(sample_template) as connection:
        connection.execute("SET default_transaction_read_only TO on")
        yield connection
