"""Loads many rows into the station's tables, as fast as the role's privileges allow."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
from psycopg import sql

from resources import sql_files

PACKAGE: Final = "wxyc_assets.sandbox"

Row = tuple[object, ...]


@contextmanager
def bulk_load(connection: psycopg.Connection, tables: list[str], count: int) -> Iterator[None]:
    """Open a transaction for loading ``count`` rows into ``tables``, as fast as the role's privileges allow."""
    superuser = connection.info.parameter_status("is_superuser") == "on"
    with connection.transaction():
        connection.execute(sql_files.load(PACKAGE, "generator_bulk_load_settings"))
        connection.execute(
            sql_files.load(PACKAGE, "generator_replica_role" if superuser else "generator_disable_triggers")
        )
        load = {"tables": tables, "count": count}
        indexes = connection.execute(sql_files.load(PACKAGE, "generator_indexes_to_rebuild"), load).fetchall()
        for schema, name, _ in indexes:
            connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(schema, name)))
        yield
        for _, _, definition in indexes:
            connection.execute(definition.encode())
        if not superuser:
            connection.execute(sql_files.load(PACKAGE, "generator_enable_triggers"))


def copy_rows(connection: psycopg.Connection, name: str, rows: Iterable[Row]) -> None:
    """Load rows with the COPY statement of that name."""
    with connection.cursor() as cursor, cursor.copy(sql_files.load(PACKAGE, name)) as copy:
        for row in rows:
            copy.write_row(row)


def one_row(connection: psycopg.Connection, name: str) -> tuple[Any, ...]:
    """Return the row of a query that always has exactly one."""
    return connection.execute(sql_files.load(PACKAGE, name)).fetchall()[0]
