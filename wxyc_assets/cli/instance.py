"""Dagster's instance: its folder, its configuration, its storage in PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from urllib.parse import urlencode

import dagster as dg
import psycopg
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import DBAPIError

from resources import home_folder, sql_files
from resources.own_sessions import require_own_sessions
from resources.postgres import Postgres, connect_error_advice, keepalives
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.database import connections
from wxyc_assets.settings import DatabaseSettings, load

STORAGE_VARIABLE = "WXYC_DAGSTER_STORAGE_URL"
"""The environment variable from which our dagster.yaml takes the URL of the storage: the URL may hold a password."""

STORAGE_GONE = (DBAPIError, DagsterPostgresException)
"""What Dagster raises outside of any step when it cannot record a run's events."""

COMPUTE_LOGS = "storage"
"""The folder below Dagster's own in which it keeps what each step wrote to stdout and stderr."""

OUR_HEADER = "# Written by wxyc"
"""The first line of a file that wxyc wrote and may replace."""


def prepare_instance() -> Path:
    """Create Dagster's folder, point this process and its children at it, and return it.

    Raises CannotError if the storage cannot be reached. Leaves a ``dagster.yaml`` without our header as it is.
    """
    settings = load(DatabaseSettings)
    folder = settings.dagster_folder.absolute()
    try:
        if folder.is_relative_to(settings.home.absolute()) or not folder.exists():
            home_folder.make_private(folder)
        for name in ("dagster.yaml", "workspace.yaml"):
            _write_configuration(folder / name)
        if (folder / "dagster.yaml").read_text().startswith(OUR_HEADER):  # another one says itself where the logs are
            home_folder.make_private(folder / COMPUTE_LOGS)
    except OSError as error:
        raise CannotError(
            f"{folder} cannot be written ({error.strerror}): correct that, or set WXYC_HOME or DAGSTER_HOME"
        ) from error
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    os.environ[STORAGE_VARIABLE] = _for_psycopg2(_storage_dsn(settings))
    return folder


def _storage_dsn(settings: DatabaseSettings) -> str:
    """Return the DSN of a storage that answers; raises CannotError. Dagster itself tries for long, and says it at each try."""
    configured = settings.dagster_database_url or settings.database_url
    try:
        dsn = connections.dagster_dsn(settings)
        require_own_sessions(dsn, connect_timeout=connections.CONNECT_TIMEOUT_S, **keepalives(dsn))
    except psycopg.OperationalError as error:
        variable = "DAGSTER_DATABASE_URL" if settings.dagster_database_url else "DATABASE_URL"
        tried = Postgres(configured.get_secret_value() if configured else "", setting=variable)
        raise CannotError(connect_error_advice(error, tried)) from error
    return dsn


def _write_configuration(path: Path) -> None:
    ours = (files("wxyc_assets.cli") / path.name).read_text()
    if not path.exists() or (path.read_text().startswith(OUR_HEADER) and path.read_text() != ours):
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_text(ours)
        partial.replace(path)


@contextmanager
def open_instance() -> Iterator[dg.DagsterInstance]:
    """Yield Dagster's instance; creates its folder and its tables if needed. Raises CannotError without its storage."""
    prepare_instance()
    with _open_storage() as instance:
        yield instance


def create_storage() -> None:
    """Create the tables of Dagster's storage if they are missing, before several processes open it at the same time."""
    with _open_storage():
        pass


def _open_storage() -> dg.DagsterInstance:
    """Open the instance while no other process opens it: whichever finds an empty database creates the tables."""
    dsn = os.environ[STORAGE_VARIABLE].replace("+psycopg2", "", 1)
    with psycopg.connect(dsn, connect_timeout=connections.CONNECT_TIMEOUT_S) as connection:
        connection.execute(sql_files.load("wxyc_assets.cli", "lock_dagster_storage"))
        return dg.DagsterInstance.get()


def _for_psycopg2(dsn: str) -> str:
    """Name the driver, and add the keepalives that the DSN does not set itself.

    For a bare postgresql:// SQLAlchemy picks psycopg 3, and dagster-postgres fails on its first write.
    """
    added = urlencode(keepalives(dsn))
    joined = f"{dsn}{'&' if '?' in dsn else '?'}{added}" if added else dsn
    return "postgresql+psycopg2://" + joined.split("://", 1)[1]
