"""The session of commands that work with our schema: what they say if they cannot have it."""

import re

import psycopg
import pytest

from resources.postgres import Postgres
from tests.sentry_server import free_port
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.schema_session import schema_session
from wxyc_assets.database.migrate import migrate
from wxyc_assets.database.revision import MigrationError

COMMANDS = ["alerts", "status", "budget"]


def test_session_reads_the_configured_station(station, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    with schema_session() as connection:
        assert connection.info.dbname == station.location().split()[0]
        assert connection.execute("SELECT count(*) FROM library").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM wxyc_assets.run").fetchone() == (0,)


def test_outdated_schema_is_refused(station, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    with station.connect() as connection:
        connection.execute("UPDATE wxyc_assets.alembic_version SET version_num = '0001'")
    with pytest.raises(MigrationError, match="wxyc migrate"), schema_session():
        pass


def read_library_as(role):
    with schema_session() as connection:
        connection.execute(f"SET ROLE {role}")
        connection.execute("SELECT FROM library")


def test_station_that_the_role_may_not_read_is_an_error(station, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    role = "schema_session_test"
    with station.connect() as owner:
        owner.execute(f"CREATE ROLE {role}")
        owner.execute(f"GRANT USAGE ON SCHEMA wxyc_schema TO {role}")
        try:
            with pytest.raises(CannotError, match=r"permission denied for table library.*`wxyc doctor`"):
                read_library_as(role)
        finally:
            owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_error_of_the_command_itself_is_not_changed(station, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    with pytest.raises(psycopg.errors.DivisionByZero), schema_session() as connection:
        connection.execute("SELECT 1 / 0")


def sleep_beyond_the_time_limit():
    with schema_session() as connection:
        connection.execute("SET statement_timeout TO 10")
        connection.execute("SELECT pg_sleep(60)")


def test_statement_that_fails_is_not_called_a_lost_database(station, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", station.dsn)
    with pytest.raises(CannotError, match="could not do it: database: QueryCanceled") as raised:
        sleep_beyond_the_time_limit()
    assert "cannot be reached" not in str(raised.value)


@pytest.mark.parametrize("command", COMMANDS)
def test_unreachable_database_exits_1_and_says_what_to_do(wxyc, at_station, command):
    finished = wxyc(command, **{**at_station, "DATABASE_URL": f"postgresql://x:secretpw@127.0.0.1:{free_port()}/x"})
    assert finished.exit_code == 1
    assert "cannot be reached" in finished.printed["error"]
    assert "wxyc doctor" in finished.printed["error"]
    assert "secretpw" not in finished.stdout + finished.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_station_without_our_schema_exits_1_and_says_migrate(wxyc, at_station, database, command):
    finished = wxyc(command, **{**at_station, "DATABASE_URL": database})
    assert (finished.exit_code, "run `wxyc migrate`" in finished.printed["error"]) == (1, True)


def test_database_without_a_station_says_what_to_do(wxyc, at_station, database):
    migrate(Postgres(database))
    finished = wxyc("status", **{**at_station, "DATABASE_URL": database})
    assert finished.exit_code == 1
    # Which table is named first depends on PostgreSQL's version.
    missing = r'relation "(library_identity|album_metadata)" does not exist\. `wxyc doctor` says what is missing'
    assert re.search(missing, finished.printed["error"])
    assert "Traceback" not in finished.stderr
