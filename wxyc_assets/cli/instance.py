"""Dagster's instance: its folder, its configuration, its storage in PostgreSQL."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import dagster as dg
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import DBAPIError

from wxyc_assets import databases
from wxyc_assets.settings import DatabaseSettings, load

STORAGE_VARIABLE = "WXYC_DAGSTER_STORAGE_URL"
"""What our dagster.yaml takes the storage from: an environment variable, since the URL may hold a password."""

STORAGE_GONE = (DBAPIError, DagsterPostgresException)
"""What Dagster raises, past every step, when it cannot write down what a run does."""

OURS = "# Written by wxyc"


def prepare_instance() -> Path:
    """Make Dagster's folder and point this process, and those it starts, at it; return the folder.

    A ``dagster.yaml`` that somebody else wrote is left as it is.
    """
    settings = load(DatabaseSettings)
    folder = settings.dagster_folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("dagster.yaml", "workspace.yaml"):
        _write_ours(folder / name)
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "1"
    os.environ[STORAGE_VARIABLE] = _for_psycopg2(databases.dagster_dsn(settings))
    return folder


def _write_ours(path: Path) -> None:
    ours = (files("wxyc_assets.cli") / path.name).read_text()
    if not path.exists() or (path.read_text().startswith(OURS) and path.read_text() != ours):
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        partial.write_text(ours)
        partial.replace(path)


@contextmanager
def open_instance() -> Iterator[dg.DagsterInstance]:
    """Yield Dagster's instance, made if need be."""
    prepare_instance()
    with dg.DagsterInstance.get() as instance:
        yield instance


def _for_psycopg2(dsn: str) -> str:
    """A bare postgresql:// would let SQLAlchemy pick psycopg 3, with which dagster-postgres fails on its first write."""
    return "postgresql+psycopg2://" + dsn.split("://", 1)[1]
