"""The columns that the UI shows are those of the tables."""

import re
from pathlib import Path

import pytest

from wxyc_assets.database.table_columns import COLUMN_SCHEMA, TABLE_NAME, WHOLE, table_columns
from wxyc_assets.definitions import defs

README = (Path(__file__).resolve().parents[3] / "README.md").read_text()
SHORT = {"character varying": "varchar", "timestamp with time zone": "timestamptz"}

COLUMNS = """
    SELECT attname, format_type(atttypid, atttypmod), NOT attnotnull
    FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""


def described():
    """Return each table that an asset writes or reads, with the columns that its page shows."""
    graph = defs.resolve_asset_graph()
    for key in sorted(graph.get_all_asset_keys()):
        metadata = graph.get(key).metadata
        if TABLE_NAME in metadata:
            yield pytest.param(metadata[TABLE_NAME], metadata[COLUMN_SCHEMA], id=key.to_user_string())


@pytest.mark.parametrize(("table", "schema"), list(described()))
def test_columns_are_those_of_the_table_in_name_type_and_order(station, table, schema):
    with station.connect() as connection:
        real = [tuple(row) for row in connection.execute(COLUMNS, [table])]
    there = {name: (spelled(type_), nullable) for name, type_, nullable in real}
    shown = {column.name: (column.type, column.constraints.nullable) for column in schema.columns}
    assert shown == {name: there[name] for name in shown}
    if table.split(".")[1] in WHOLE:
        assert list(shown) == list(there)


def spelled(type_):
    for long, short in SHORT.items():
        type_ = type_.replace(long, short)
    return type_


def test_every_table_has_a_page_and_every_column_says_what_it_is():
    tables = {param.values[0].split(".")[1] for param in described()}
    assert {"library", "flowsheet", "rotation", "billing_event", "tally"} < tables
    for table in tables:
        columns = table_columns(table).columns
        assert all(len(column.description or "") > 5 for column in columns), table
        assert len({column.name for column in columns}) == len(columns), table


def test_every_column_that_the_role_may_write_is_shown():
    for columns, table in re.findall(r"GRANT UPDATE \(([a-z_, ]+)\) ON wxyc_schema\.(\w+)", README):
        shown = {column.name for column in table_columns(table).columns}
        assert set(columns.split(", ")) <= shown, table


def test_undescribed_table_has_no_columns():
    with pytest.raises(KeyError):
        table_columns("shows")
