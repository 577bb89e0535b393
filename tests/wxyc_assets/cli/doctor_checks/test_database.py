"""The checks of the databases: schemas, tables, privileges, indexes, servers."""

import re
import time

import pytest
from dagster._daemon.types import DaemonHeartbeat

from wxyc_assets.cli.doctor_checks.database import (
    check_dagster_storage,
    check_database,
    check_schemas,
    diagnose_server,
)
from wxyc_assets.settings import DatabaseSettings, load


@pytest.fixture
def look(station):
    """Checks the schemas of a station, after a change that is rolled back."""

    def look(change="SELECT"):
        with station.connect() as connection, connection.transaction(force_rollback=True):
            connection.execute(change)
            settings = load(DatabaseSettings, {})
            return {diagnosis.name: diagnosis for diagnosis in check_schemas(connection, settings)}

    return look


WELL = ["station tables", "billing tables", "our schema"]
"""The diagnoses of a station without a problem."""

ROLE = "doctor_checks_test"


def as_role(*grants, usage="wxyc_schema, public, wxyc_assets"):
    """Statements that make a role with these privileges, and act as it."""
    statements = [
        f"CREATE ROLE {ROLE}",
        f"GRANT USAGE ON SCHEMA {usage} TO {ROLE}",
        *(f"GRANT {grant} TO {ROLE}" for grant in grants),
        f"SET LOCAL ROLE {ROLE}",
    ]
    return "; ".join(statements)


def test_station_of_the_contract_passes(look):
    found = look()
    assert list(found) == WELL
    assert all(diagnosis.ok for diagnosis in found.values())


@pytest.mark.parametrize(
    ("change", "table", "advice"),
    [
        (
            "DROP INDEX billing_event_rating_instant_ix",
            "public.billing_event",
            "ON public.billing_event ((COALESCE(event_ts, created_at)))",
        ),
        ("DROP INDEX rated_usage_window_start_ix", "public.rated_usage", "ON public.rated_usage (window_start)"),
    ],
)
def test_missing_index_is_a_warning_with_the_statement_to_run(look, change, table, advice):
    found = look(change)
    assert "WARNING" in found[f"index of {table}"].says
    assert found[f"index of {table}"].advice.endswith(advice)
    assert all(diagnosis.ok for diagnosis in found.values())
    statement = found[f"index of {table}"].advice.partition("run: ")[2].replace("CONCURRENTLY ", "")
    assert list(look(f"{change}; {statement}")) == WELL


@pytest.mark.parametrize(
    "other",
    ["(auth_id, window_start)", "USING hash (window_start)", "(window_start) WHERE cost > 0"],
)
def test_index_that_does_not_serve_the_range_does_not_count(look, other):
    assert "index of public.rated_usage" in look(
        f"DROP INDEX rated_usage_window_start_ix; CREATE INDEX ON rated_usage {other}"
    )


def test_index_may_have_any_name(look):
    assert list(look("ALTER INDEX rated_usage_window_start_ix RENAME TO something")) == WELL


def test_missing_tables_are_named(look):
    found = look("DROP TABLE rated_usage; DROP TABLE rotation CASCADE")
    assert not found["billing tables"].ok
    assert found["billing tables"].says == "missing in schema public: rated_usage"
    assert not found["station tables"].ok
    assert found["station tables"].says == "missing in schema wxyc_schema: rotation"


def test_station_without_billing_is_no_problem(look):
    found = look("DROP TABLE rated_usage, billing_event CASCADE")
    assert found["billing tables"].ok
    assert "this station has no billing" in found["billing tables"].says
    assert all(diagnosis.ok for diagnosis in found.values())


def test_missing_billing_privileges_name_the_grant(look):
    found = look(as_role("SELECT ON billing_event, rated_usage"))
    assert not found["privileges on rated_usage"].ok
    assert "GRANT INSERT, UPDATE, DELETE ON public.rated_usage" in found["privileges on rated_usage"].advice
    assert "privileges on billing_event" not in found


def test_missing_station_privileges_name_the_grant(look):
    """Of every asset, and of columns and sequences as well as of tables."""
    found = look(as_role("SELECT ON ALL TABLES IN SCHEMA wxyc_schema"))
    assert found["privileges on library"].says.endswith(" lacks UPDATE (unresolved_attempted_at)")
    assert "GRANT INSERT, UPDATE ON wxyc_schema.library_identity TO" in found["privileges on library_identity"].advice
    columns = "UPDATE (metadata_status), UPDATE (metadata_attempt_at)"
    assert f"GRANT {columns} ON wxyc_schema.flowsheet TO" in found["privileges on flowsheet"].advice
    sequence = "library_identity_history_history_id_seq"
    assert f"GRANT USAGE ON SEQUENCE wxyc_schema.{sequence}" in found[f"privileges on {sequence}"].advice
    assert "privileges on artists" not in found


def test_missing_own_privileges_are_named(look):
    found = look(as_role("SELECT ON wxyc_assets.alembic_version", "SELECT, INSERT ON ALL TABLES IN SCHEMA wxyc_assets"))
    assert not found["our schema"].ok
    assert "UPDATE on wxyc_assets.run" in found["our schema"].says
    assert "INSERT on wxyc_assets.run," not in found["our schema"].says


@pytest.mark.parametrize(
    ("schema", "name"),
    [("wxyc_schema", "station tables"), ("wxyc_assets", "our schema")],
)
def test_schema_without_usage_is_a_diagnosis_with_its_grant(station, schema, name):
    """The other schemas are checked all the same. Not in a transaction: the first error would end it."""
    usage = ", ".join({"wxyc_schema", "public", "wxyc_assets"} - {schema})
    with station.connect() as connection:
        try:
            connection.execute(as_role(usage=usage).replace("SET LOCAL", "SET"))
            found = {one.name: one for one in check_schemas(connection, load(DatabaseSettings, {}))}
        finally:
            connection.execute(f"RESET ROLE; DROP OWNED BY {ROLE}; DROP ROLE {ROLE}")
    assert (found[name].ok, found[name].says) == (False, f"permission denied for schema {schema}")
    assert f"GRANT USAGE ON SCHEMA {schema} TO" in found[name].advice
    assert len(found) > 2


def test_schema_that_is_not_migrated_names_the_command(look):
    found = look("DELETE FROM wxyc_assets.alembic_version")
    assert (found["our schema"].ok, found["our schema"].advice) == (False, "run `wxyc migrate`")


def test_reachable_database_is_named_with_its_version(diagnoses_of, station):
    found = diagnoses_of(check_database, DATABASE_URL=station.dsn)
    assert found["database"].ok
    assert found["database"].says.startswith(station.location())
    assert list(found) == ["database", *WELL]


@pytest.mark.parametrize(("version", "ok"), [(130_023, False), (140_000, True), (140_022, True), (180_006, True)])
def test_postgresql_14_and_newer_is_accepted(version, ok):
    found = diagnose_server(version, "station at db:5432")
    assert (found.ok, found.says) == (ok, f"station at db:5432 answers, PostgreSQL {version // 10_000}")
    assert bool(found.advice) is not ok
    assert ok or found.advice == "PostgreSQL 14 or newer is needed"


def test_database_without_a_station_names_tables_and_migrate(diagnoses_of, database):
    found = diagnoses_of(check_database, DATABASE_URL=database)
    assert "library_identity" in found["station tables"].says
    assert "rated_usage" in found["billing tables"].says
    assert found["our schema"].advice == "run `wxyc migrate`"


def test_unreachable_database_is_one_problem_without_password(diagnoses_of):
    found = diagnoses_of(check_database, DATABASE_URL="postgresql://x:secretpw@127.0.0.1:9/x")
    assert list(found) == ["database"]
    assert (found["database"].ok, "cannot be reached" in found["database"].says) == (False, True)
    assert "secretpw" not in str(found)


def test_embedded_server_that_does_not_run_is_not_started(diagnoses_of, tmp_path):
    found = diagnoses_of(check_database, WXYC_HOME=str(tmp_path))
    assert found["database"].says == "the embedded PostgreSQL is not running, and has no station yet"
    assert diagnoses_of(check_dagster_storage, WXYC_HOME=str(tmp_path)) == {}
    assert list(tmp_path.iterdir()) == []


def heartbeat(daemon_type, daemon_id, age_s):
    return DaemonHeartbeat(time.time() - age_s, daemon_type, daemon_id, errors=[])


@pytest.mark.parametrize(
    ("heartbeats", "daemons"),
    [
        ([], 1),
        ([heartbeat("SENSOR", "a", 1), heartbeat("SCHEDULER", "a", 20)], 1),
        ([heartbeat("SENSOR", "a", 1), heartbeat("SCHEDULER", "b", 20)], 2),
        ([heartbeat("SENSOR", "a", 1), heartbeat("SCHEDULER", "b", 20), heartbeat("BACKFILL", "c", 29)], 3),
        ([heartbeat("SENSOR", "a", 1), heartbeat("SCHEDULER", "b", 3600)], 1),  # of a daemon that ended
    ],
)
def test_a_second_daemon_on_the_storage_is_a_problem(diagnoses_of, station, instance, heartbeats, daemons):
    for one in heartbeats:
        instance.add_daemon_heartbeat(one)
    url = instance.run_storage.postgres_url.replace("+psycopg2", "")
    found = diagnoses_of(check_dagster_storage, DATABASE_URL=station.dsn, DAGSTER_DATABASE_URL=url)
    assert found["Dagster's storage"].ok
    assert ("Dagster's daemon" in found) is (daemons > 1)
    if daemons > 1:
        assert not found["Dagster's daemon"].ok
        assert found["Dagster's daemon"].says.startswith(f"{daemons} daemons work on this storage")


def test_dagster_storage_passes_where_it_answers(diagnoses_of, station, database):
    found = diagnoses_of(check_dagster_storage, DATABASE_URL=station.dsn, DAGSTER_DATABASE_URL=database)
    assert found["Dagster's storage"].ok
    url = re.sub(r"@/\w+", "@/no_such_database", database)
    found = diagnoses_of(check_dagster_storage, DATABASE_URL=station.dsn, DAGSTER_DATABASE_URL=url)
    assert (found["Dagster's storage"].ok, "no_such_database" in found["Dagster's storage"].says) == (False, True)


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ((), None),
        (("billing_event", "rated_usage"), "billed rows carry the org_id of their events"),
        (
            ("billing_event",),
            "WARNING: rated_usage has no org_id and the other table has one, so billed rows carry none",
        ),
        (
            ("rated_usage",),
            "WARNING: billing_event has no org_id and the other table has one, so billed rows carry none",
        ),
    ],
)
def test_organisations_need_the_column_in_both_tables(look, tables, says):
    found = look("; ".join(f"ALTER TABLE {table} ADD COLUMN org_id text" for table in tables) or "SELECT 1")
    assert (found["organisations"].says if "organisations" in found else None) == says
    assert all(one.ok for one in found.values())
