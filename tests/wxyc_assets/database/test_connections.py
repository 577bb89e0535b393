"""Which databases there are: as configured, or on the embedded server."""

import uuid
from dataclasses import replace

import psycopg
import pytest
from psycopg import sql

from wxyc_assets.database import connections
from wxyc_assets.database.connections import dagster_dsn, open_postgres, station_dsn
from wxyc_assets.settings import DatabaseSettings, SettingsError, load


def _url(postgres_dsn, *, user=None, password=None):
    """A test server's DSN as an operator would write it, perhaps of another role."""
    info = psycopg.conninfo.conninfo_to_dict(postgres_dsn)
    who = f"{user or info['user']}:{password or info.get('password', 'x')}"
    return f"postgresql://{who}@/{info['dbname']}?host={info['host']}&port={info['port']}"


def test_a_configured_database_is_opened_with_its_schemas(station):
    environ = {"DATABASE_URL": station.dsn, "WXYC_SCHEMA_NAME": "Live", "BILLING_SCHEMA_NAME": "money"}
    opened = open_postgres(environ)
    assert opened == replace(station, schemas=("Live", "money"))


def test_embedded_server_is_started_if_none_is_configured(tmp_path):
    tmp_path.chmod(0o711)
    environ = {"WXYC_HOME": str(tmp_path / "home")}
    settings = load(DatabaseSettings, environ)
    try:
        with open_postgres(environ).connect() as connection:
            assert connection.info.dbname == connections.STATION_DATABASE
        with psycopg.connect(dagster_dsn(settings)) as connection:
            assert connection.info.dbname == connections.DAGSTER_DATABASE
        assert station_dsn(settings) == open_postgres(environ).dsn
    finally:
        connections.embedded(settings).stop()


def test_dagsters_database_is_created_beside_the_station(server, station):
    dsn = dagster_dsn(load(DatabaseSettings, {"DATABASE_URL": _url(station.dsn)}))
    try:
        with psycopg.connect(dsn) as connection:
            assert connection.info.dbname == "dagster"
        assert dagster_dsn(load(DatabaseSettings, {"DATABASE_URL": _url(station.dsn)})) == dsn
    finally:
        server.drop_database(dsn)


def test_dagsters_own_setting_wins():
    environ = {"DATABASE_URL": "postgresql://h/station", "DAGSTER_DATABASE_URL": "postgresql://other/dagster"}
    assert dagster_dsn(load(DatabaseSettings, environ)) == "postgresql://other/dagster"


def test_role_without_createdb_finds_what_the_message_advised(station, server):
    """The statement of the message, executed as it is, is all that is needed."""
    role, password = f"r_{uuid.uuid4().hex}", "only-for-this-test"
    with station.connect() as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password))
    try:
        settings = load(DatabaseSettings, {"DATABASE_URL": _url(station.dsn, user=role, password=password)})
        with pytest.raises(SettingsError) as caught:
            dagster_dsn(settings)
        assert f"`CREATE DATABASE dagster OWNER {role}`" in str(caught.value)
        assert password not in str(caught.value)
        with station.connect() as admin:
            admin.execute(str(caught.value).split("`")[1])
        with psycopg.connect(dagster_dsn(settings)) as connection:
            assert (connection.info.dbname, connection.info.user) == ("dagster", role)
    finally:
        server.drop_database(server.dsn("dagster"))
        with station.connect() as admin:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


def test_a_station_that_cannot_be_reached_is_a_settings_error():
    settings = load(DatabaseSettings, {"DATABASE_URL": "postgresql://x@127.0.0.1:9/x"})
    with pytest.raises(
        SettingsError, match=r"DATABASE_URL: the database x at 127.0.0.1:9 cannot be reached: .*refused"
    ):
        dagster_dsn(settings)
