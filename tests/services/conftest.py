"""The surroundings of the services, and the started services of deploy/compose.yaml."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from tests.services.deployment import DEPLOY, LocalMachine, services
from tests.services.stack import Stack, stack
from tests.services.webserver import Webserver
from wxyc_assets.sandbox import station as sandbox_station
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.sample import SAMPLE_PRICES

PRICE_FILE = "/etc/wxyc-assets/prices/prices.yaml"


@dataclass
class Site:
    """The surroundings of the services: the sample station, an empty database for Dagster, and an LML."""

    machine: LocalMachine
    lml: SandboxLml
    station: str
    dagster: str

    @property
    def settings(self) -> dict[str, str]:
        """The content of an operator's .env."""
        return {
            "DATABASE_URL": self.station,
            "DAGSTER_DATABASE_URL": self.dagster,
            "LIBRARY_METADATA_URL": self.lml.url,
            "LML_API_KEY": "sandbox-key",
            "LML_DISCOGS_BUDGET_PER_MIN": "6000",
            "PRICE_FILE": self.machine.text(PRICE_FILE),
        }

    @property
    def webserver(self) -> Webserver:
        """The webserver, if it runs."""
        return Webserver(f"http://127.0.0.1:{self.machine.ports['3000']}")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query on the station's database."""
        with psycopg.connect(self.station) as connection:
            return connection.execute(query.encode()).fetchall()

    def sessions(self) -> list[tuple[Any, ...]]:
        """The sessions on the two databases, except this one."""
        names = [psycopg.conninfo.conninfo_to_dict(dsn)["dbname"] for dsn in (self.station, self.dagster)]
        with psycopg.connect(self.station) as connection:
            return connection.execute(
                "SELECT datname, application_name, state, query FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = ANY(%s)",
                [names],
            ).fetchall()


@pytest.fixture(scope="module")
def site(server, tmp_path_factory) -> Iterator[Site]:
    """A site for one test module."""
    station, dagster = server.create_database(), server.create_database()
    with psycopg.connect(station, autocommit=True) as connection:
        sandbox_station.create(connection, sample=True)
    ports = {name: _free_port() for name in ("3000", "3001", "4000")}
    with SandboxLml() as lml:
        yield Site(
            LocalMachine(tmp_path_factory.mktemp("services"), ports, SAMPLE_PRICES.parent), lml, station, dagster
        )
    server.drop_database(dagster)
    server.drop_database(station)


@pytest.fixture(scope="module")
def services_up(site) -> Iterator[Stack]:
    """The services of deploy/compose.yaml, all healthy. All their processes end with the module."""
    site.machine.install(
        *(site.machine.text((DEPLOY / name).read_text()) for name in ("dagster.yaml", "workspace.yaml"))
    )
    with stack(services(site.settings, site.machine), site.machine) as started:
        started.up()
        yield started


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
