"""The sandbox's catalogs equal the live ones, table by table, as ``live_definitions.md`` has them."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parent / "live_definitions.md").read_text(encoding="utf-8")
TABLES = dict(re.findall(r"(?ms)^### wxyc_schema\.(\w+)\n(.*?)(?=^### |\Z)", PAGE))

ABSENT = {
    # Tables that no asset and no trigger of an asset's table touches are not in the sandbox, nor are the keys to them.
    *("library_label_id_labels_id_fk", "flowsheet_label_id_labels_id_fk", "shows_primary_dj_id_auth_user_id_fk"),
    *("shows_specialty_id_specialty_shows_id_fk", "show_djs_dj_id_auth_user_id_fk"),
    # On a function that no asset calls.
    "artists_normalized_name_idx",
}


def spelled(text):
    """An expression without what PostgreSQL adds to it or leaves out: casts, parentheses, blanks."""
    plain = re.sub(r'::(?:"char"|character varying|double precision|\w+)', "", text.replace(r"\|", "|"))
    return re.sub(r"[\s()]|wxyc_schema\.|public\.", "", plain)


def listed(table, kind):
    """The objects of one line of the page, by name."""
    found = re.search(rf"(?m)^{kind}: (.*)$", TABLES[table])
    objects = dict(re.findall(r"`(\w+)` (.*?)(?=; `|$)", found[1] if found else ""))
    return {name: spelled(text) for name, text in objects.items() if name not in ABSENT}


def rows(connection, query, table):
    return connection.execute(query, {"table": f"wxyc_schema.{table}"}).fetchall()


def test_the_page_has_the_tables_that_are_made():
    assert len(TABLES) == 13
    assert TABLES.keys() >= {"library", "library_identity", "album_metadata", "flowsheet", "rotation"}


@pytest.mark.parametrize("table", TABLES)
def test_columns_are_the_live_ones(empty_station, table):
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in TABLES[table].splitlines() if line.startswith("| ")]
    live = [tuple(cell.strip() for cell in row) for row in cells if row[0].strip() not in {"column", "---"}]
    query = (
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), CASE WHEN a.attnotnull THEN 'NOT NULL' ELSE 'null' END, "
        "CASE WHEN a.attgenerated = 's' THEN 'GENERATED STORED: ' ELSE '' END || COALESCE(pg_get_expr(d.adbin, d.adrelid), '') "
        "FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum "
        "WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum"
    )
    made = [(*row[:3], spelled(row[3])) for row in rows(empty_station, query, table)]
    assert made == [(name, kind.removeprefix("public."), null, spelled(default)) for name, kind, null, default in live]


@pytest.mark.parametrize("table", TABLES)
def test_constraints_are_the_live_ones(empty_station, table):
    query = (
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = %(table)s::regclass AND contype IN ('c', 'f', 'p', 'u')"
    )
    assert {name: spelled(text) for name, text in rows(empty_station, query, table)} == listed(table, "Constraints")


@pytest.mark.parametrize("table", TABLES)
def test_indexes_are_the_live_ones(empty_station, table):
    query = (
        "SELECT c.relname, CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END "
        "|| split_part(pg_get_indexdef(c.oid), ' USING ', 2) "
        "FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = %(table)s::regclass "
        "AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = c.oid AND k.contype IN ('p', 'u'))"
    )
    assert {name: spelled(text) for name, text in rows(empty_station, query, table)} == listed(table, "Indexes")


@pytest.mark.parametrize("table", TABLES)
def test_triggers_are_the_live_ones(empty_station, table):
    query = (
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %(table)s::regclass AND NOT tgisinternal"
    )
    made = dict(rows(empty_station, query, table))
    shape = re.compile(r"CREATE TRIGGER \w+ (.*) ON \S+ FOR EACH (\w+) .*")
    assert {
        name: spelled(shape.sub(lambda of: f"{of[1]}, per {of[2].lower()}", text)) for name, text in made.items()
    } == listed(table, "Triggers")
