"""Creates the sandbox station's tables with the live definitions, in one transaction, or refuses with the reason."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Final

import psycopg
from psycopg import sql

from resources import sql_files
from wxyc_assets.sandbox import sample as sample_station

PACKAGE: Final = "wxyc_assets.sandbox"
_SHOWN_PROBLEMS: Final = 5  # enough to recognise other tables of the same names


class StationError(Exception):
    """The station could not be created; the message says what to do. The database is unchanged."""


@dataclass(frozen=True)
class StationReport:
    """What ``create`` found or created."""

    created: bool
    """Whether this call created the tables; False if they existed already."""
    sample_loaded: bool
    """Whether this call loaded the sample; False if the caller did not want it or the station held any rows."""
    rows: Mapping[str, int]
    """Rows per table at the end of the call."""


def create(
    connection: psycopg.Connection,
    *,
    station_schema: str = "wxyc_schema",
    billing_schema: str = "public",
    sample: bool,
) -> StationReport:
    """Create the tables that the assets use, empty or with the sample station in them.

    One transaction: an interrupted call, even by kill -9, leaves nothing behind. An existing station stays as it is,
    except that a sandbox station without any rows gets the sample. Source: the contract page station-tables.md and the
    "Tables" section of rated-usage.md.

    Raises StationError if the schemas hold only some of the tables, or tables with other columns, if the role may not
    create objects, or if the encoding of the database is not UTF-8.
    """
    try:
        with connection.transaction():
            connection.execute(sql_files.load(PACKAGE, "lock_creation"))
            _require_utf8(connection)
            created = not _station_exists(connection, station_schema, billing_schema)
            if created:
                _create_objects(connection, station_schema, billing_schema)
            _set_search_path(connection, station_schema, billing_schema, "public")
            loaded = sample and is_sandbox(connection) and _is_empty(_count_rows(connection))
            if loaded:
                sample_station.load(connection, anchor=datetime.now(UTC))
            return StationReport(created=created, sample_loaded=loaded, rows=_count_rows(connection))
    except psycopg.errors.InsufficientPrivilege as error:
        raise StationError(
            f"the role {connection.info.user} may not create the station: {error.diag.message_primary}. Use a role that "
            f"may create schemas in {connection.info.dbname} and objects in its schema public, such as its owner."
        ) from error


def is_sandbox(connection: psycopg.Connection) -> bool:
    """Whether ``create`` made the station on the connection's search_path, so that sandbox data may go into it."""
    return connection.execute(sql_files.load(PACKAGE, "is_sandbox")).fetchone() is not None


def _require_utf8(connection: psycopg.Connection) -> None:
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StationError(
            f"the database {connection.info.dbname} is encoded in {encoding}, which cannot hold every artist's name. "
            "Create one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and point DATABASE_URL at it."
        )


def _station_exists(connection: psycopg.Connection, station_schema: str, billing_schema: str) -> bool:
    """Whether the whole station exists. Raises StationError if only parts of it do."""
    expected = _expected_columns(station_schema, billing_schema)
    existing = {
        (schema, table): columns
        for schema in {station_schema, billing_schema}
        for table, columns in _existing_columns(connection, schema).items()
    }
    found = expected.keys() & existing.keys()
    if not found:
        return False
    problems = [f"{schema}.{table} is missing" for schema, table in expected if (schema, table) not in found]
    problems += [
        f"{schema}.{table}.{column} is {existing[schema, table].get(column, 'missing')} instead of {column_type}"
        for schema, table in expected
        if (schema, table) in found
        for column, column_type in expected[schema, table].items()
        if existing[schema, table].get(column) != column_type
    ]
    if problems:
        raise StationError(_refusal(problems, len(found), len(expected), connection.info.dbname))
    return True


def _refusal(problems: list[str], found: int, expected: int, database: str) -> str:
    shown = "; ".join(problems[:_SHOWN_PROBLEMS])
    if len(problems) > _SHOWN_PROBLEMS:
        shown += f"; and {len(problems) - _SHOWN_PROBLEMS} more"
    return (
        f"the database {database} already holds {found} of the station's {expected} tables, but no complete station: "
        f"{shown}. Nothing was changed. Choose schemas that are free (WXYC_SCHEMA_NAME, BILLING_SCHEMA_NAME) or "
        "another database (DATABASE_URL), or drop those tables if they are not needed."
    )


def _expected_columns(station_schema: str, billing_schema: str) -> dict[tuple[str, str], dict[str, str]]:
    """Return the type of each column of each table of a station, by (schema, table)."""
    schemas = {"station": station_schema, "billing": billing_schema}
    tables: dict[tuple[str, str], dict[str, str]] = {}
    columns = (files(PACKAGE) / "catalogue" / "columns.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(columns.splitlines()):
        tables.setdefault((schemas[row["schema"]], row["table"]), {})[row["column"]] = row["type"]
    return tables


def _existing_columns(connection: psycopg.Connection, schema: str) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = {}
    for table, column, column_type in connection.execute(
        sql_files.load(PACKAGE, "existing_columns"), {"schema": schema}
    ):
        # The name of an enum has a schema or not, depending on the search_path.
        tables.setdefault(table, {})[column] = column_type.rsplit(".", 1)[-1]
    return tables


def _create_objects(connection: psycopg.Connection, station_schema: str, billing_schema: str) -> None:
    for schema in (station_schema, billing_schema):
        if not connection.execute(sql_files.load(PACKAGE, "schema_exists"), {"schema": schema}).fetchone():
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
    connection.execute(sql_files.load(PACKAGE, "public_objects"))
    _set_search_path(connection, station_schema, "public")
    for script in ("station_tables", "station_functions", "station_indexes", "station_triggers"):
        connection.execute(sql_files.load(PACKAGE, script))
    _set_search_path(connection, billing_schema, "public")
    connection.execute(sql_files.load(PACKAGE, "billing_tables"))


def _set_search_path(connection: psycopg.Connection, *schemas: str) -> None:
    """Set the search_path until the transaction ends."""
    path = sql.SQL(", ").join(map(sql.Identifier, schemas))
    connection.execute(sql.SQL("SET LOCAL search_path TO {}").format(path))


def _count_rows(connection: psycopg.Connection) -> dict[str, int]:
    return dict(connection.execute(sql_files.load(PACKAGE, "row_counts")).fetchall())


def _is_empty(rows: Mapping[str, int]) -> bool:
    return not any(count for table, count in rows.items() if not table.endswith("_watermark"))
