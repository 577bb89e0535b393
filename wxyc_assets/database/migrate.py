"""Migrates our own schema to the revision that this code needs."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from psycopg import sql
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.pool import NullPool

from resources.postgres import Postgres
from wxyc_assets.database.revision import SCHEMA, MigrationError, stored_revision


def migrate(postgres: Postgres, revision: str = "head") -> tuple[str | None, str | None]:
    """Migrate the schema to ``revision`` (``base`` empties it) and return the revisions before and after.

    The role needs only to own schema ``wxyc_assets``, or the right to create it. Concurrent migrations wait for each other.
    Raises MigrationError if that right is missing, or if the schema is from a newer program.
    """
    engine = create_engine("postgresql+psycopg://", creator=postgres.open, poolclass=NullPool)
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, psycopg.Connection):
            raise TypeError("migrations run on psycopg 3")
        driver.autocommit = True
        driver.execute("SELECT pg_advisory_lock(hashtextextended('wxyc_assets/migrate', 0))")
        _ensure_schema(driver)
        driver.execute("SELECT set_config('wxyc_assets.station_schema', %s, false)", [postgres.schemas[0]])
        with _explained():
            before = stored_revision(driver)
            driver.autocommit = False
            _run_alembic(connection, revision)
            connection.commit()
            driver.autocommit = True
            return before, stored_revision(driver)


def _ensure_schema(connection: psycopg.Connection) -> None:
    # CREATE SCHEMA IF NOT EXISTS checks the privilege to create before it checks whether the schema exists.
    if connection.execute("SELECT to_regnamespace(%s)", [SCHEMA]).fetchone() != (None,):
        return
    try:
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))
    except psycopg.errors.InsufficientPrivilege as error:
        raise MigrationError(
            f"this role may not create schema {SCHEMA}: let the database's owner run "
            f"`CREATE SCHEMA {SCHEMA} AUTHORIZATION {connection.info.user}`, then `wxyc migrate` again"
        ) from error


def _run_alembic(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(files("wxyc_assets.database.migrations")))
    config.attributes["connection"] = connection
    (command.downgrade if revision == "base" else command.upgrade)(config, revision)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn errors that an administrator can correct into a MigrationError."""
    try:
        yield
    except CommandError as error:
        raise MigrationError(f"{error}: schema {SCHEMA} is from a newer program; update this one") from error
    except (psycopg.errors.InsufficientPrivilege, ProgrammingError) as error:
        cause = getattr(error, "orig", error)
        if not isinstance(cause, psycopg.errors.InsufficientPrivilege):
            raise
        raise MigrationError(
            f"this role does not own schema {SCHEMA}: {cause.diag.message_primary}. "
            "Run `wxyc migrate` with its owner's DATABASE_URL"
        ) from error
