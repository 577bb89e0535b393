"""docs/where.md names every table, in the section of its schema."""

import pytest

from tests.documents import ROOT
from wxyc_assets.sandbox import station as sandbox_station

PAGE = (ROOT / "docs" / "where.md").read_text()
TABLES = (
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm')"
)


def section(schema):
    (found,) = [part for part in PAGE.split("\n## ") if f"schema `{schema}`" in part.splitlines()[0]]
    return found


@pytest.mark.parametrize("schema", ["wxyc_schema", "public", "wxyc_assets"])
def test_every_table_is_named_in_the_section_of_its_schema(station, schema):
    with station.connect() as connection:
        sandbox_station.create(connection, sample=False)
        tables = {name for (name,) in connection.execute(TABLES, [schema])}
    assert tables
    assert {name for name in tables if f"`{name}`" not in section(schema)} == set()
