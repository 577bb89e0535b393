"""The server and the stations of a benchmark: an embedded PostgreSQL, generated stations in it, and copies of them."""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Composed, Identifier

from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from wxyc_assets.database.migrate import migrate
from wxyc_assets.sandbox.station import create


@contextmanager
def temporary_server() -> Iterator[tuple[EmbeddedPostgres, Path]]:
    """Start a PostgreSQL in a folder of its own; yield both. The server and the folder end with the block."""
    with tempfile.TemporaryDirectory(prefix="wxyc-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # as root the server runs as another account, which must be able to enter
        server = EmbeddedPostgres(home)
        server.start()
        try:
            yield server, home
        finally:
            server.stop()


def create_station(server: EmbeddedPostgres, name: str, fill: Callable[[psycopg.Connection], object]) -> Postgres:
    """Create a station in a new database, fill it, and migrate our schema. Its sessions have no statement timeout."""
    server.ensure_database(name)
    postgres = Postgres(server.dsn(name), statement_timeout_ms=0)
    with postgres.connect() as connection:
        create(connection, sample=False)
        fill(connection)
    migrate(postgres)
    return postgres


def vacuum(postgres: Postgres) -> None:
    """Vacuum and analyze the whole database, so that no autovacuum does it during a measurement."""
    with postgres.connect() as connection:
        connection.execute("VACUUM ANALYZE")


@contextmanager
def copy_of(template: Postgres, server: EmbeddedPostgres) -> Iterator[Postgres]:
    """Yield a copy of a station, written to disk before the measurement starts. The copy ends with the block."""
    name = new_name()
    source = str(conninfo_to_dict(template.dsn)["dbname"])
    _administer(server, SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(source)))
    _administer(server, SQL("CHECKPOINT"))
    try:
        yield replace(template, dsn=server.dsn(name))
    finally:
        _administer(server, SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


def new_name() -> str:
    """Return a database name that is not in use."""
    return f"bench_{uuid.uuid4().hex[:8]}"


def _administer(server: EmbeddedPostgres, statement: SQL | Composed) -> None:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        admin.execute(statement)
