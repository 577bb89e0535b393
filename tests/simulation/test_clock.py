"""The simulated clock: what PostgreSQL says, inside and outside of transactions."""

import re
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.processes import ROOT
from tests.simulation.clock import SimulatedClock, install, start

START = datetime(2026, 3, 2, tzinfo=UTC)
NEAR = timedelta(minutes=1)


@pytest.fixture
def clock(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE noted (id serial, at timestamptz NOT NULL DEFAULT now())")
        install(connection)
        start(connection, START)
    clock = SimulatedClock(database)
    yield clock
    clock.close()


@pytest.mark.parametrize("function", ["now()", "clock_timestamp()", "statement_timestamp()", "transaction_timestamp()"])
def test_every_clock_function_shows_the_simulated_time(clock, database, function):
    clock.advance(7200)
    with psycopg.connect(database) as connection:
        ((shown, day),) = connection.execute(f"SELECT {function}, {function}::date").fetchall()
    assert shown - START - timedelta(hours=2) < NEAR
    assert day == START.date()


def test_defaults_of_columns_and_plpgsql_use_it(clock, database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "CREATE FUNCTION ask() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RETURN clock_timestamp(); END $$"
        )
        connection.execute("INSERT INTO noted DEFAULT VALUES")
        shown = connection.execute("SELECT at FROM noted UNION ALL SELECT ask()").fetchall()
    assert all(at - START < NEAR for (at,) in shown)


def test_now_stays_within_a_transaction(clock, database):
    with psycopg.connect(database) as connection:
        ((began, real),) = connection.execute("SELECT now(), clock_timestamp()").fetchall()
        clock.advance(3600)
        ((still, later),) = connection.execute("SELECT now(), clock_timestamp()").fetchall()
    assert still == began
    assert timedelta(hours=1) <= later - real < timedelta(hours=1) + NEAR


def test_sleepers_wake_in_the_order_of_their_instants(clock):
    woken = []

    def sleep(seconds):
        clock.sleep(seconds)
        woken.append(seconds)

    threads = [threading.Thread(target=sleep, args=(seconds,)) for seconds in (1000, 300, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # The first thread may already have slept before the others began: only what sleeps at once has an order.
    assert sorted(woken) == [300, 1000, 2000]
    assert clock.now() - START < timedelta(seconds=3300) + NEAR


def test_no_sql_asks_for_the_time_by_a_keyword():
    """CURRENT_TIMESTAMP and its kin are no functions, so that the simulated clock does not reach them."""
    keyword = re.compile(r"\b(current_(date|time|timestamp)|localtime(stamp)?)\b", re.IGNORECASE)
    files = [file for package in ("resources", "sensors", "wxyc_assets") for file in (ROOT / package).rglob("*.sql")]
    assert files
    assert [file.name for file in files if keyword.search(file.read_text())] == []
