"""Two equal stations, each with its own Dagster storage and an LML that gives the same answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from resources.postgres import Postgres
from tests.concurrency.twin_stations import fill
from tests.conftest import Server
from tests.processes import temporary_home
from tests.system import SYSTEM
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.sample import SAMPLE_PRICES

HOURS = 30


@dataclass
class Site:
    """A station, its LML, and the environment of an operator's commands."""

    postgres: Postgres
    lml: SandboxLml
    environ: dict[str, str]


@dataclass
class Twins:
    """Two equal sites: one for concurrent requests, the other for the same requests one after another."""

    concurrent: Site
    sequential: Site


@pytest.fixture
def twins(server: Server, station: Postgres) -> Iterator[Twins]:
    """Two stations with equal work to do."""
    fill(station, HOURS)
    twin = Postgres(server.create_database(template=str(conninfo_to_dict(station.dsn)["dbname"])))
    storages = [server.create_database(), server.create_database()]
    # The simulated Discogs has no limit, so that the test observes the calls that our own budget allows.
    discogs = DiscogsConfig(limit_calls=None, call_latency_ms=5, cold_items=12)
    with (
        temporary_home("wxyc-twins-") as home,
        # A slow LML, so that runs of one shard overlap. The LML of the other site answers at once.
        SandboxLml(discogs=discogs, latency_ms=2500) as slow_lml,
        SandboxLml(discogs=discogs) as lml,
    ):
        yield Twins(
            Site(station, slow_lml, _environ(home / "concurrent", station.dsn, storages[0], slow_lml)),
            Site(twin, lml, _environ(home / "sequential", twin.dsn, storages[1], lml)),
        )
    for dsn in (twin.dsn, *storages):
        server.drop_database(dsn)


def _environ(home: Path, dsn: str, storage: str, lml: SandboxLml) -> dict[str, str]:
    home.mkdir()
    return {
        **SYSTEM,
        "HOME": str(home),
        "WXYC_HOME": str(home),
        "DATABASE_URL": dsn,
        "DAGSTER_DATABASE_URL": storage,
        "LIBRARY_METADATA_URL": lml.url,
        "LML_API_KEY": "sandbox-key",
        "PRICE_FILE": str(SAMPLE_PRICES),
        "PYTHONWARNINGS": "ignore",
    }
