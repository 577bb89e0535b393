"""Every .sql file of the three packages: used, explained, and valid against the migrated schema."""

import re
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets.assets.rated_usage.billing_tables import BillingTables, digest_statement, rating_statement

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("resources", "sensors", "wxyc_assets")
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).glob("**/sql/*.sql"))
SOURCES = "".join(path.read_text() for package in PACKAGES for path in (ROOT / package).glob("**/*.py"))
LITERALS = set(re.findall(r'"([^"\n]+)"', SOURCES))
PATTERNS = [re.sub(r"\{[^}]*\}", r"\\w+", text) for text in LITERALS if re.match(r"[a-z]+_\w*\{", text)]
"""Names that code puts together, such as ``sample_copy_{table}``, as regular expressions."""

STATION_SCRIPTS = {
    *("public_objects", "station_tables", "station_functions", "station_indexes", "station_triggers"),
    *("billing_tables", "sample_staging", "generator_disable_triggers", "generator_enable_triggers"),
}
SCRIPTS = {path for path in FILES if path.parts[-3] == "migrations" or path.stem in STATION_SCRIPTS}
"""Many statements each: they are proved by being executed."""
OF_DAGSTER = {
    *("select_daemons", "select_old_runs", "select_runs_with_end", "delete_events", "delete_check_evaluations"),
    *("select_latest_evaluations", "select_emptied_runs", "delete_backfills", "select_tick_range", "count_ticks"),
}
"""Statements on the tables of Dagster's storage, which no station has; tests/wxyc_assets/cli and retention run them."""
STATEMENTS = [path for path in FILES if path not in SCRIPTS and path.stem not in OF_DAGSTER]
TYPES = {"anchor": "timestamptz", "cost": "float8", "gap_s": "float8"}
"""What psycopg says of parameters whose type PostgreSQL could not tell from the statement."""

COMPOSED = {
    "rate_hour": lambda: rating_statement(BillingTables()),
    "digest_hour": lambda: digest_statement(BillingTables()),
}
"""Statements with parts that follow from the station's tables, here the sandbox's; their rooms test the others."""


def _id(path):
    return str(path.relative_to(ROOT))


def _statement(path):
    """Return a file without its comments, numbered parameters in the place of named ones, and their names in order."""
    whole = COMPOSED[path.stem]().as_string(None) if path.stem in COMPOSED else path.read_text()
    text = re.sub(r"--.*$", "", whole, flags=re.MULTILINE).strip()
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    for number, name in enumerate(names, start=1):
        text = text.replace(f"%({name})s", f"${number}")
    return text.replace("%%", "%"), names


def _comment(path):
    return "\n".join(line for line in path.read_text().splitlines() if line.lstrip().startswith("--"))


@pytest.mark.parametrize("path", FILES, ids=_id)
def test_every_file_is_used_by_code(path):
    assert path.stem in LITERALS or any(re.fullmatch(pattern, path.stem) for pattern in PATTERNS)


@pytest.mark.parametrize("path", FILES, ids=_id)
def test_every_file_states_its_result_and_its_parameters(path):
    _, names = _statement(path)
    assert re.match(rf"-- {path.stem}: \S+", path.read_text())
    assert [name for name in names if not re.search(rf"\b{name}\b", _comment(path))] == []


@pytest.mark.parametrize("path", FILES, ids=_id)
def test_psycopg_finds_parameters_in_statements_only(path):
    assert "%" not in _comment(path)


@pytest.mark.parametrize("path", STATEMENTS, ids=_id)
def test_every_statement_is_one_and_valid_on_a_migrated_station(path, planning):
    text, names = _statement(path)
    assert ";" not in re.sub(r"'[^']*'", "", text).rstrip(";")
    if text.startswith("COPY"):
        with planning.cursor().copy(text):
            pass
    elif text.startswith(("ANALYZE", "DROP", "SET LOCAL")):
        planning.execute(text)
    else:
        types = f"({', '.join(TYPES.get(name, 'unknown') for name in names)})" if names else ""
        planning.execute(f"PREPARE planned{types} AS {text}")
        nulls = f"({', '.join(['NULL'] * len(names))})" if names else ""
        assert planning.execute(f"EXPLAIN EXECUTE planned{nulls}").fetchall()
        planning.execute("DEALLOCATE planned")


@pytest.fixture(scope="module")
def _session(server, station_template):
    dsn = server.create_database(template=str(conninfo_to_dict(station_template)["dbname"]))
    with Postgres(dsn).connect() as connection:
        connection.execute("SET plan_cache_mode TO force_generic_plan")
        yield connection
    server.drop_database(dsn)


@pytest.fixture
def planning(_session):
    """A session in a transaction that is rolled back, with the temporary tables of the sample."""
    with _session.transaction(force_rollback=True):
        _session.execute(sql_files.load("wxyc_assets.sandbox", "sample_staging"))
        yield _session
