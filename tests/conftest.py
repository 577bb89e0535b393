"""A real PostgreSQL for the tests: one embedded server a session, a fresh database or station a test.

``WXYC_TEST_DATABASE_URL`` (a superuser on another server, PostgreSQL 14 or newer) replaces the embedded one.
"""

import json
import os
import uuid
from collections.abc import Iterator

import dagster as dg
import psycopg
import pytest
from hypothesis import settings

from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from tests import processes
from tests.processes import temporary_home
from wxyc_assets.database.migrate import migrate
from wxyc_assets.sandbox import station as sandbox_station

# On a busy machine the duration of an example says nothing about the code.
settings.register_profile("shared", deadline=None)
settings.load_profile("shared")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Let nothing that the tests start outlive pytest, and let no child ignore the signals that a test sends."""
    processes.start_supervisor()
    if not config.getoption(
        "numprocesses", 0
    ):  # a controller's workers ignore what it ignores, then do this themselves
        processes.give_children_default_signals()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a database, for `make test-postgres`."""
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker("database")


def pytest_keyboard_interrupt() -> None:
    """End the children first: what then tears down waits for none of them, and xdist not for its workers."""
    processes.end_children()


def pytest_unconfigure() -> None:
    processes.stop_supervisor()


@pytest.fixture(scope="session", autouse=True)
def _supervised_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    processes.supervise_folder(tmp_path_factory.getbasetemp())


class Server:
    """A running PostgreSQL that hands out databases."""

    def __init__(self, admin_dsn: str) -> None:
        self._admin = psycopg.connect(admin_dsn, autocommit=True)
        copies_by_log = self._admin.info.server_version >= 150_000  # before, copying the files was the only way
        self._copying = psycopg.sql.SQL("STRATEGY file_copy" if copies_by_log else "")

    def create_database(self, template: str | None = None) -> str:
        """Create a database with a name of its own and return its DSN."""
        name = f"t_{uuid.uuid4().hex}"
        self._admin.execute(
            psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE {} {}").format(
                psycopg.sql.Identifier(name), psycopg.sql.Identifier(template or "template1"), self._copying
            )
        )
        return self.dsn(name)

    def drop_database(self, dsn: str) -> None:
        """Drop a database that this server handed out, and end the sessions that are still connected to it."""
        name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
        self._admin.execute(
            psycopg.sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(psycopg.sql.Identifier(str(name)))
        )

    def dsn(self, name: str) -> str:
        info = self._admin.info
        url = f"postgresql://{info.user}{':' + info.password if info.password else ''}@/{name}?host={info.host}"
        return f"{url}&port={info.port}"

    def turn_off_fsync(self) -> None:
        """Write without waiting for the disk: these databases need not survive a crash."""
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
    with temporary_home("wxyc-tests-") as home:
        embedded = EmbeddedPostgres(home)
        try:
            embedded.start()
            server = Server(embedded.dsn("postgres"))
            server.turn_off_fsync()
            yield server
            server.close()
        finally:
            embedded.stop()


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
