"""Two equal stations, each with a Dagster of its own and an LML that answers the same."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from resources.postgres import Postgres
from tests.concurrency.a_station import furnish
from tests.conftest import Server
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.sample import SAMPLE_PRICES

HOURS = 30
SYSTEM = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}


@dataclass
class Site:
    """A station, the LML that it asks, and the environment of whoever works on it."""

    postgres: Postgres
    lml: SandboxLml
    environ: dict[str, str]


@pytest.fixture
def sites(server: Server, station: Postgres) -> Iterator[tuple[Site, Site]]:
    """A station full of work, and its twin."""
    furnish(station, HOURS)
    twin = server.create_database(template=str(conninfo_to_dict(station.dsn)["dbname"]))
    stores = [server.create_database(), server.create_database()]
    home = Path(tempfile.mkdtemp(prefix="wxyc-crowd-"))
    # Nothing holds the calls back but our own budget, so that what is seen is what was asked for.
    discogs = DiscogsConfig(limit_calls=None, call_latency_ms=5, cold_items=12)
    # A slow LML, so that runs of one shard last long enough to meet each other; the twin's answers the same, at once.
    with SandboxLml(discogs=discogs, latency_ms=2500) as first, SandboxLml(discogs=discogs) as second:
        yield tuple(  # type: ignore[misc]
            Site(Postgres(dsn), lml, _environ(home / name, dsn, store, lml))
            for name, dsn, store, lml in zip(
                ("crowd", "alone"), (station.dsn, twin), stores, (first, second), strict=True
            )
        )
    shutil.rmtree(home)
    for dsn in (twin, *stores):
        server.drop_database(dsn)


def _environ(home: Path, dsn: str, store: str, lml: SandboxLml) -> dict[str, str]:
    home.mkdir()
    return {
        **SYSTEM,
        "HOME": str(home),
        "WXYC_HOME": str(home),
        "DATABASE_URL": dsn,
        "DAGSTER_DATABASE_URL": store,
        "LIBRARY_METADATA_URL": lml.url,
        "LML_API_KEY": "sandbox-key",
        "PRICE_FILE": str(SAMPLE_PRICES),
        "PYTHONWARNINGS": "ignore",
    }
