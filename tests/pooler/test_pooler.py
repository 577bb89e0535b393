"""Behind a pooler in transaction mode every command refuses, with the reason and the cure, and writes nothing."""

import json
import subprocess
import sys

import psycopg
import pytest

from resources.own_sessions import PoolerError, require_own_sessions
from resources.postgres import Postgres
from tests.system import SYSTEM
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.sample import SAMPLE_PRICES


@pytest.fixture
def wxyc(server, tmp_path):
    """Run a command on a station and a storage of Dagster."""
    with SandboxLml() as lml:

        def run(*arguments, **settings):
            environ = {
                **SYSTEM, "HOME": str(tmp_path), "WXYC_HOME": str(tmp_path / "home"), "LIBRARY_METADATA_URL": lml.url,
                "LML_API_KEY": "sandbox-key", "PRICE_FILE": str(SAMPLE_PRICES), **settings,
            }  # fmt: skip
            finished = subprocess.run(
                [sys.executable, "-m", "wxyc_assets", *arguments],
                env=environ, capture_output=True, text=True, timeout=180, check=False,
            )  # fmt: skip
            return finished.returncode, json.loads(finished.stdout.splitlines()[-1])

        yield run


@pytest.fixture
def storage(server):
    dsn = server.create_database()
    yield dsn
    server.drop_database(dsn)


def rows(dsn):
    """How many rows each table has, in every schema of ours and the station's."""
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for (table,) in tables}


def test_a_pooler_in_session_mode_works(pooled, station, storage, wxyc):
    with station.connect() as connection:
        generate_libraries(connection, 20, first_id=1)
    settings = {"DATABASE_URL": pooled(station.dsn, "session"), "DAGSTER_DATABASE_URL": storage}
    code, printed = wxyc("run", "library_identity", **settings)
    assert (code, printed["totals"]["scanned"]) == (0, 20), printed


@pytest.mark.parametrize(
    "command",
    [
        ("run", "library_identity"),
        ("run", "rated_usage", "--plan"),
        ("migrate",),
        ("status",),
        ("up", "--port", "0", "--lml-port", "0"),
        ("sandbox", "create"),
    ],
    ids=" ".join,
)
def test_pooler_in_transaction_mode_is_refused(pooled, station, storage, wxyc, command):
    before = rows(station.dsn)
    settings = {"DATABASE_URL": pooled(station.dsn, "transaction"), "DAGSTER_DATABASE_URL": storage}
    code, printed = wxyc(*command, **settings)
    assert code == 1
    assert "transaction mode" in printed["error"]
    assert "pool_mode = session" in printed["error"]
    assert rows(station.dsn) == before


def test_dagsters_storage_behind_such_a_pooler_is_refused(pooled, station, storage, wxyc):
    settings = {"DATABASE_URL": station.dsn, "DAGSTER_DATABASE_URL": pooled(storage, "transaction")}
    code, printed = wxyc("run", "library_identity", **settings)
    assert (code, "transaction mode" in printed["error"]) == (1, True), printed
    assert rows(storage) == {}


@pytest.mark.parametrize("pooled_one", ["DATABASE_URL", "DAGSTER_DATABASE_URL"])
def test_doctor_says_what_is_wrong(pooled, station, storage, wxyc, pooled_one):
    urls = {"DATABASE_URL": station.dsn, "DAGSTER_DATABASE_URL": storage}
    code, printed = wxyc("doctor", **{**urls, pooled_one: pooled(urls[pooled_one], "transaction")})
    assert code == 1
    assert "transaction mode" in json.dumps(printed)


def test_database_is_created_through_no_such_pooler(pooled, station, wxyc):
    """Without DAGSTER_DATABASE_URL a database for Dagster would be created beside the station's."""
    code, printed = wxyc("run", "library_identity", DATABASE_URL=pooled(station.dsn, "transaction"))
    assert (code, "transaction mode" in printed["error"]) == (1, True), printed


@pytest.mark.parametrize(("mode", "refused"), [("session", False), ("transaction", True), ("statement", True)])
def test_two_sessions_prove_that_each_has_its_own_backend(pooled, station, mode, refused):
    dsn = pooled(station.dsn, mode)
    for _ in range(5):
        if refused:
            with pytest.raises(PoolerError):
                require_own_sessions(dsn)
        else:
            require_own_sessions(dsn)


def test_a_busy_pooler_is_seen_as_well(pooled, station):
    """Other clients hold backends, so that the pooler has several to choose from."""
    dsn = pooled(station.dsn, "transaction")
    with psycopg.connect(dsn) as one, psycopg.connect(dsn) as other:
        for connection in (one, other):
            connection.execute("SELECT 1")
        with pytest.raises(PoolerError):
            Postgres(dsn).open()
