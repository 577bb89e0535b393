"""The billing tables in a database of their own: rating is there as a whole, and its outage is that of rated_usage alone."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from resources.postgres import Postgres
from tests.fake_dagster_runs import begin
from wxyc_assets.orchestration.dead_runs import end_dead_runs
from wxyc_assets.runs import ledger
from wxyc_assets.runs.advisory_locks import run_locks
from wxyc_assets.sandbox.generator import generate_libraries

MODEL = "qwen2.5-7b-instruct"


@pytest.fixture
def billing(server, station, station_template):
    """The database of the billing tables; the station of the test has none."""
    dsn = server.create_database(template=str(psycopg.conninfo.conninfo_to_dict(station_template)["dbname"]))
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP SCHEMA wxyc_schema CASCADE")
    with station.connect() as connection:
        connection.execute("DROP TABLE billing_event, rated_usage, io_log")
    yield Postgres(dsn)
    server.drop_database(dsn)


@pytest.fixture
def apart(at_station, billing):
    """The settings of that station."""
    return {**at_station, "BILLING_DATABASE_URL": billing.dsn, "BILLING_START": _hours_ago(3).isoformat()}


@pytest.fixture
def cut_off(apart, server):
    """The settings of the station while its billing database is gone."""
    return {**apart, "BILLING_DATABASE_URL": server.dsn("t_no_such_database")}


def _hours_ago(hours):
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)


def _use(billing):
    with billing.connect() as connection:
        connection.cursor().executemany(
            "INSERT INTO billing_event (request_id, auth_id, resource_id, model, prompt_tokens, completion_tokens, event_ts) "
            "VALUES (%s, 'a', 'r', %s, 100, 10, %s)",
            [(f"request-{hours}", MODEL, _hours_ago(hours)) for hours in (3, 2, 1)],
        )


def _count(postgres, query):
    with postgres.connect() as connection:
        ((count,),) = connection.execute(query).fetchall()
        return count


def test_rating_its_ledger_and_its_run_are_in_that_database(wxyc, apart, billing, station):
    _use(billing)
    doctor = wxyc("doctor", **apart)
    assert doctor.exit_code == 0, doctor.stdout
    names = [finding["name"] for finding in doctor.printed["findings"]]
    assert {"station tables", "billing database", "billing tables"} <= set(names)
    rated = wxyc("run", "rated_usage", **apart)
    assert rated.exit_code == 0, rated.stdout + rated.stderr
    assert _count(billing, "SELECT count(*) FROM rated_usage") == 3
    assert _count(billing, "SELECT count(*) FROM wxyc_assets.usage_change") == 3
    assert _count(billing, "SELECT count(*) FROM wxyc_assets.run WHERE asset = 'rated_usage' AND verdict = 'done'") == 1
    assert _count(station, "SELECT count(*) FROM wxyc_assets.run") == 0
    status = wxyc("status", **apart).printed
    assert status["assets"]["rated_usage"]["partitions"]["fresh"] == 3
    assert status["assets"]["rated_usage"]["last_good_run"] == rated.printed["run_ids"][0]
    assert status["billing_problem"] is None


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["rated", "unbilled"], "unbilled"),
        (["prices", "list"], "price_books"),
        (["changes", "--since", "2026-01-01T00:00:00Z"], "changes"),
        (["migrate"], "billing"),
    ],
)
def test_commands_about_money_read_that_database(wxyc, apart, arguments, shown):
    finished = wxyc(*arguments, **apart)
    assert finished.exit_code == 0, finished.stdout + finished.stderr
    assert shown in finished.printed


def test_psql_opens_either_database(wxyc, apart):
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('wxyc_schema', 'public')"
    assert wxyc("psql", "--billing", "-c", tables, "--", "-tA", **apart).stdout.strip() == "3"
    assert int(wxyc("psql", "-c", tables, "--", "-tA", **apart).stdout) > 10


def test_without_it_all_but_rating_goes_on_and_one_alert_says_so(wxyc, apart, cut_off, station):
    with station.connect() as connection:
        generate_libraries(connection, 20, first_id=1)
    run = wxyc("run", "library_identity", **cut_off)
    assert run.exit_code == 0, run.stdout + run.stderr
    status = wxyc("status", **cut_off)
    assert status.exit_code == 0
    assert "rated_usage" not in status.printed["assets"]
    assert status.printed["assets"]["library_identity"]["partitions"]["fresh"] == 16
    assert "correct BILLING_DATABASE_URL" in status.printed["billing_problem"]
    refused = wxyc("run", "rated_usage", **cut_off)
    assert refused.exit_code == 1
    assert "correct BILLING_DATABASE_URL" in refused.printed["error"]
    open_alerts = "SELECT count(*) FROM wxyc_assets.alert WHERE source = 'billing_unreachable' AND closed_at IS NULL"
    assert _count(station, open_alerts) == 1
    assert wxyc("doctor", **cut_off).exit_code == 1
    assert wxyc("run", "library_identity", "--partition", "0", **apart).exit_code == 0
    assert _count(station, open_alerts) == 0


def test_a_database_without_billing_tables_is_a_problem(wxyc, apart, billing):
    with billing.connect() as connection:
        connection.execute("DROP TABLE rated_usage, billing_event")
    doctor = wxyc("doctor", **apart)
    assert doctor.exit_code == 1
    (finding,) = [one for one in doctor.printed["findings"] if not one["ok"]]
    assert finding["name"] == "billing tables"
    assert "BILLING_DATABASE_URL" in finding["advice"]


def test_a_sandbox_station_refuses_the_setting(wxyc, apart):
    alone = wxyc("status", BILLING_DATABASE_URL=apart["BILLING_DATABASE_URL"])
    assert alone.exit_code == 1
    assert "BILLING_DATABASE_URL: needs DATABASE_URL" in alone.printed["error"]
    demo = wxyc("demo", **apart)
    assert demo.exit_code == 1
    assert "unset BILLING_DATABASE_URL" in demo.printed["error"]


def test_a_run_is_dead_only_if_it_is_in_both_databases(instance, station, billing):
    rating, killed = begin(instance), begin(instance)
    with station.connect() as on_station, billing.connect() as on_billing, run_locks(billing, rating):
        for run_id in (rating, killed):
            ledger.begin_run(on_billing, run_id, "rated_usage", "routine")
        assert end_dead_runs(instance, [on_station, on_billing]) == []
        on_station.execute("UPDATE wxyc_assets.open_run SET first_seen_at = now() - interval '1 hour'")
        assert end_dead_runs(instance, [on_station, on_billing]) == [killed]
