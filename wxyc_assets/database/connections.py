"""Which databases there are: as configured, or on the embedded server."""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

import psycopg
from pydantic import SecretStr

from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from wxyc_assets.settings import DatabaseSettings, HomeSettings, SettingsError, load

STATION_DATABASE = "station"
DAGSTER_DATABASE = "dagster"


def embedded(settings: HomeSettings) -> EmbeddedPostgres:
    """Return the embedded server of this machine's state folder, started or not."""
    return EmbeddedPostgres(settings.home)


def open_postgres(environ: Mapping[str, str] | None = None) -> Postgres:
    """Return the station's database; starts the embedded server if none is configured.

    Raises SettingsError, or EmbeddedPostgresError if that server cannot be started.
    """
    settings = load(DatabaseSettings, environ)
    return Postgres(station_dsn(settings), schemas=(settings.station_schema, settings.billing_schema))


def station_dsn(settings: DatabaseSettings) -> str:
    """Return the DSN of the station; starts the embedded server if none is configured."""
    return _dsn(settings, settings.database_url, STATION_DATABASE)


def dagster_dsn(settings: DatabaseSettings) -> str:
    """Return the DSN of Dagster's storage: as configured, or database ``dagster`` beside the station's.

    Raises psycopg.Error if that database does not exist beside a configured station and cannot be created.
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


def _ensure_database(beside: str, name: str) -> None:
    with psycopg.connect(beside, autocommit=True, connect_timeout=10) as connection:
        if connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        try:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))
        except psycopg.errors.DuplicateDatabase:
            pass  # somebody else was first
        except psycopg.errors.InsufficientPrivilege as error:
            raise SettingsError(
                [
                    (
                        f"DAGSTER_DATABASE_URL: is unset, and this role may not create database {name} beside the station's: "
                        f"let an administrator run `CREATE DATABASE {name} OWNER {connection.info.user}`, or set it"
                    )
                ]
            ) from error
