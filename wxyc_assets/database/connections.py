"""The databases of the station, of its billing and of Dagster: as configured, or on the embedded server."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import psycopg
from pydantic import SecretStr

from resources.embedded_postgres import EmbeddedPostgres
from resources.own_sessions import require_own_sessions
from resources.postgres import Postgres, connect_error_advice, keepalives
from wxyc_assets.settings import DatabaseSettings, HomeSettings, SettingsError, load

STATION_DATABASE = "station"
DAGSTER_DATABASE = "dagster"
CONNECT_TIMEOUT_S = 10


def embedded(settings: HomeSettings) -> EmbeddedPostgres:
    """Return the embedded server of this machine's state folder; it may not be running."""
    return EmbeddedPostgres(settings.home)


def open_postgres(environ: Mapping[str, str] | None = None) -> Postgres:
    """Return the station's database; starts the embedded server if none is configured.

    Raises SettingsError, or EmbeddedPostgresError if that server cannot be started.
    """
    return postgres_from(load(DatabaseSettings, environ))


def postgres_from(settings: DatabaseSettings) -> Postgres:
    """Return the station's database; starts the embedded server if none is configured, or raises EmbeddedPostgresError."""
    return Postgres(station_dsn(settings), schemas=(settings.station_schema, settings.billing_schema))


def open_billing(environ: Mapping[str, str] | None = None) -> Postgres:
    """Return the database of the billing tables and of what belongs to them in our schema; raises as ``open_postgres`` does."""
    return billing_from(load(DatabaseSettings, environ))


def billing_from(settings: DatabaseSettings) -> Postgres:
    """Return the database of the billing tables, which is the station's unless BILLING_DATABASE_URL names another one."""
    station = postgres_from(settings)
    if not settings.billing_database_url:
        return station
    return replace(station, dsn=settings.billing_database_url.get_secret_value(), setting="BILLING_DATABASE_URL")


def distinct(station: Postgres, billing: Postgres) -> Sequence[Postgres]:
    """Return the databases that hold our schema, each once."""
    return [station] if billing.dsn == station.dsn else [station, billing]


def station_dsn(settings: DatabaseSettings) -> str:
    """Return the DSN of the station; starts the embedded server if none is configured."""
    return _dsn(settings, settings.database_url, STATION_DATABASE)


def reader_dsn(settings: DatabaseSettings) -> str:
    """Return the DSN of the station for reading: on the embedded server that of a role that may write nothing."""
    dsn = station_dsn(settings)
    return dsn if settings.database_url else embedded(settings).reader_dsn(STATION_DATABASE)


def billing_reader_dsn(settings: DatabaseSettings) -> str:
    """Return the DSN of the billing tables for reading."""
    return settings.billing_database_url.get_secret_value() if settings.billing_database_url else reader_dsn(settings)


def dagster_dsn(settings: DatabaseSettings) -> str:
    """Return the DSN of Dagster's storage: as configured, or database ``dagster`` on the station's server.

    Raises SettingsError if the server of a configured station cannot be reached, or if that database cannot be created there.
    """
    if settings.dagster_database_url or not settings.database_url:
        return _dsn(settings, settings.dagster_database_url, DAGSTER_DATABASE)
    station = settings.database_url.get_secret_value()
    _ensure_database(station, DAGSTER_DATABASE)
    return urlunsplit(urlsplit(station)._replace(path=f"/{DAGSTER_DATABASE}"))


def _dsn(settings: HomeSettings, configured: SecretStr | None, name: str) -> str:
    if configured:
        return configured.get_secret_value()
    server = embedded(settings)
    server.start()
    server.ensure_database(name)
    return server.dsn(name)


def _ensure_database(extra: str, name: str) -> None:
    try:
        require_own_sessions(extra, connect_timeout=CONNECT_TIMEOUT_S, **keepalives(extra))
        opened = psycopg.connect(extra, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, **keepalives(extra))
    except psycopg.OperationalError as error:
        raise SettingsError([f"DATABASE_URL: {connect_error_advice(error, Postgres(extra))}"]) from error
    with opened as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        try:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        except psycopg.errors.DuplicateDatabase:
            pass  # another process created it first
        except psycopg.errors.InsufficientPrivilege as error:
            raise SettingsError(
                [
                    (
                        f"DAGSTER_DATABASE_URL: is unset, and this role may not create database {name} there: "
                        f"let an administrator run `CREATE DATABASE {name} OWNER {connection.info.user}`, or set it"
                    )
                ]
            ) from error
