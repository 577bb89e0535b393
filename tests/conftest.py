"""A real PostgreSQL for every test that asks: one embedded server a session, a fresh database or station a test.

``WXYC_TEST_DATABASE_URL`` (a superuser on another server, PostgreSQL 15 or newer) replaces the embedded one.
"""

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from hypothesis import settings

from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from wxyc_assets.migrate import migrate
from wxyc_assets.sandbox import station as sandbox_station

# Two cores that others share: an example that took long says nothing about the code.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")


class Server:
    """A running PostgreSQL that hands out databases."""

    def __init__(self, admin_dsn: str) -> None:
        self._admin = psycopg.connect(admin_dsn, autocommit=True)

    def create_database(self, template: str | None = None) -> str:
        """Create a database with a name of its own and return its DSN."""
        name = f"t_{uuid.uuid4().hex}"
        self._admin.execute(
            psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                psycopg.sql.Identifier(name), psycopg.sql.Identifier(template or "template1")
            )
        )
        return self.dsn(name)

    def drop_database(self, dsn: str) -> None:
        """Drop a database that this server handed out, whoever is still connected."""
        name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
        self._admin.execute(
            psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(psycopg.sql.Identifier(str(name)))
        )

    def dsn(self, name: str) -> str:
        info = self._admin.info
        url = f"postgresql://{info.user}{':' + info.password if info.password else ''}@/{name}?host={info.host}"
        return f"{url}&port={info.port}"

    def forget_about_crashes(self) -> None:
        """Write without waiting for the disk: nobody will want these databases back."""
        self._admin.execute("ALTER SYSTEM SET fsync TO off")
        self._admin.execute("SELECT pg_reload_conf()")

    def close(self) -> None:
        self._admin.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    configured = os.environ.get("WXYC_TEST_DATABASE_URL")
    if configured:
        server = Server(configured)
        yield server
        server.close()
        return
    home = Path(tempfile.mkdtemp(prefix="wxyc-tests-"))
    home.chmod(0o711)  # as root the server runs as another account, which must get in
    embedded = EmbeddedPostgres(home)
    try:
        embedded.start()
        server = Server(embedded.dsn("postgres"))
        server.forget_about_crashes()
        yield server
        server.close()
    finally:
        embedded.stop()
        shutil.rmtree(home)


@pytest.fixture
def database(server: Server) -> Iterator[str]:
    """The DSN of an empty database."""
    dsn = server.create_database()
    yield dsn
    server.drop_database(dsn)


@pytest.fixture(scope="session")
def station_template(server: Server) -> Iterator[str]:
    """The DSN of a database to clone, never to connect to: the station's tables without rows, and our schema."""
    dsn = server.create_database()
    with psycopg.connect(dsn, autocommit=True) as connection:
        sandbox_station.create(connection, sample=False)
    migrate(Postgres(dsn))
    yield dsn
    server.drop_database(dsn)


@pytest.fixture
def station(server: Server, station_template: str) -> Iterator[Postgres]:
    """An empty station of the test's own, with our schema migrated."""
    dsn = server.create_database(template=str(psycopg.conninfo.conninfo_to_dict(station_template)["dbname"]))
    yield Postgres(dsn)
    server.drop_database(dsn)


@pytest.fixture(scope="session")
def _instance(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    dsn = server.create_database()
    url = "postgresql+psycopg2://" + dsn.split("://", 1)[1]  # a bare one would pick psycopg 3, as in the command line
    storage = {"storage": {"postgres": {"postgres_url": url}}, "telemetry": {"enabled": False}}
    folder = tmp_path_factory.mktemp("dagster")
    (folder / "dagster.yaml").write_text(json.dumps(storage))
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance
    server.drop_database(dsn)


@pytest.fixture
def instance(_instance: dg.DagsterInstance) -> dg.DagsterInstance:
    """A Dagster instance whose storage is PostgreSQL, without any runs or events."""
    _instance.wipe()
    return _instance
