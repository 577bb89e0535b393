"""``create`` makes the station once, whole or not at all, and refuses what it did not make."""

import signal
import sys
import threading
from datetime import UTC, datetime
from importlib.resources import files

import psycopg
import pytest

from resources import sql_files
from tests.processes import running
from tests.waiting import wait_for
from tests.wxyc_assets.sandbox.queries import value
from wxyc_assets.sandbox import generator, station
from wxyc_assets.sandbox.compilation_generator import generate_compilations


def test_a_second_call_changes_nothing(database):
    with psycopg.connect(database, autocommit=True) as connection:
        first = station.create(connection, sample=True)
        connection.execute("UPDATE wxyc_schema.library SET album_title = 'mine' WHERE id = 1")
        second = station.create(connection, sample=True)
        assert (first.created, first.sample_loaded, second.created, second.sample_loaded) == (True, True, False, False)
        assert second.rows == first.rows
        assert value(connection, "SELECT album_title FROM wxyc_schema.library WHERE id = 1") == "mine"


def test_a_real_station_never_gets_the_sample(empty_station):
    empty_station.execute("COMMENT ON TABLE library IS NULL")
    assert not station.is_sandbox(empty_station)
    report = station.create(empty_station, sample=True)
    assert (report.created, report.sample_loaded, report.rows["library"]) == (False, False, 0)


def test_an_empty_sandbox_station_can_get_the_sample_later(database):
    with psycopg.connect(database, autocommit=True) as connection:
        assert station.create(connection, sample=False).rows["library"] == 0
        later = station.create(connection, sample=True)
        assert (later.created, later.sample_loaded) == (False, True)
        connection.execute("SET search_path TO wxyc_schema")
        assert station.is_sandbox(connection)
        assert later.rows["library"] > 300


def test_concurrent_calls_create_one_station(database):
    reports = []

    def create():
        with psycopg.connect(database, autocommit=True) as connection:
            reports.append(station.create(connection, sample=False).created)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reports) == [False, False, False, True]


def test_schemas_may_have_any_name(database):
    station_schema, billing_schema = 'odd "name" 100%', "Bill'ing"
    with psycopg.connect(database, autocommit=True) as connection:
        station.create(connection, sample=False)
        report = station.create(connection, station_schema=station_schema, billing_schema=billing_schema, sample=True)
        assert report.created
        assert report.rows["billing_event"] == 5000
        assert not station.create(
            connection, station_schema=station_schema, billing_schema=billing_schema, sample=True
        ).sample_loaded
        other = value(connection, "SELECT last_modified_at FROM wxyc_schema.library_watermark")
        # A trigger moves the watermark of its own schema, even if the writer has no search_path.
        connection.execute("""UPDATE "odd ""name"" 100%".library SET label = 'x'""")
        assert value(connection, "SELECT last_modified_at FROM wxyc_schema.library_watermark") == other
        assert value(connection, """SELECT last_modified_at FROM "odd ""name"" 100%".library_watermark""") > other


def test_an_incomplete_station_is_refused_and_unchanged(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA wxyc_schema CREATE TABLE library (id integer)")
        with pytest.raises(station.StationError, match="1 of the station's 18 tables") as refusal:
            station.create(connection, sample=True)
        assert "WXYC_SCHEMA_NAME" in str(refusal.value)
        assert value(connection, "SELECT count(*) FROM pg_tables WHERE schemaname IN ('wxyc_schema', 'public')") == 1


def test_tables_with_other_columns_are_refused(empty_station):
    empty_station.execute("ALTER TABLE rotation ALTER COLUMN legacy_rotation_id TYPE bigint")
    with pytest.raises(
        station.StationError, match=r"wxyc_schema.rotation.legacy_rotation_id is bigint instead of integer"
    ):
        station.create(empty_station, sample=False)


def test_a_station_may_have_more_columns_and_tables(empty_station):
    empty_station.execute("ALTER TABLE library ADD COLUMN new_idea text")
    empty_station.execute("CREATE TABLE bins (id integer)")
    assert not station.create(empty_station, sample=False).created


def test_the_refusal_names_the_privileges_that_a_role_lacks(server, database):
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS station_guest")
        connection.execute("CREATE ROLE station_guest")
        try:
            connection.execute("SET ROLE station_guest")
            with pytest.raises(station.StationError, match=f"may create schemas in {name}"):
                station.create(connection, sample=False)
        finally:
            connection.execute("RESET ROLE")
            connection.execute("DROP ROLE station_guest")


def test_a_database_without_utf8_is_refused(server):
    dsn = server.create_database()
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    server.drop_database(dsn)
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with psycopg.connect(dsn, autocommit=True) as connection, pytest.raises(station.StationError, match="UTF8"):
        station.create(connection, sample=False)
    server.drop_database(dsn)


CREATE_IN_A_CHILD = """
import sys, psycopg
from wxyc_assets.sandbox import station
station.create(psycopg.connect(sys.argv[1], autocommit=True, application_name="child"), sample=True)
"""


def test_kill_9_during_creation_leaves_nothing(database):
    with psycopg.connect(database) as blocker, psycopg.connect(database, autocommit=True) as watcher:
        blocker.execute(
            "CREATE TABLE public.io_log (id integer)"
        )  # not committed: the child waits to create its own io_log
        with running([sys.executable, "-c", CREATE_IN_A_CHILD, database]) as child:
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'child' AND wait_event_type = 'Lock'"
            )
            wait_for(lambda: value(watcher, waiting), "child that waits for the lock")
            child.kill()
            child.wait(60)
        assert child.returncode == -signal.SIGKILL
        blocker.rollback()
        sessions = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'child'"
        wait_for(lambda: value(watcher, sessions) == 0, "end of the child's session")
        left = "SELECT count(*) FROM pg_class WHERE relnamespace::regnamespace::text IN ('wxyc_schema', 'public')"
        assert value(watcher, left) == 0
        assert station.create(watcher, sample=True).created


def test_every_sql_file_of_the_sandbox_is_used(database, monkeypatch):
    used = set()
    load = sql_files.load

    def recording(package, name):
        used.add((package, name))
        return load(package, name)

    monkeypatch.setattr(sql_files, "load", recording)
    with psycopg.connect(database, autocommit=True) as connection:
        station.create(connection, sample=True)
        connection.execute("SET search_path TO wxyc_schema, public")
        generator.generate_libraries(connection, 1)
        generator.generate_plays(connection, 1)
        generate_compilations(connection, 1)
        june = datetime(2026, 6, 8, tzinfo=UTC)
        generator.generate_billing_events(connection, 1, first_instant=june, hours=1, accounts=1, models={"m": None})
    present = {file.name.removesuffix(".sql") for file in (files("wxyc_assets.sandbox") / "sql").iterdir()}
    owners_only = {"generator_disable_triggers", "generator_enable_triggers"}  # test_generator loads as a table owner
    assert {name for package, name in used if package == "wxyc_assets.sandbox"} == present - owners_only
