"""The checks of the station's server: may sessions write, is its clock ours, does it take more of them, who holds `wxyc up`."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from wxyc_assets.cli.doctor_checks.database import check_database
from wxyc_assets.cli.doctor_checks.server import CLOCK_TOLERANCE, CONNECTIONS_NEEDED, check_server
from wxyc_assets.cli.services import station_lock


def found_on(station, **arguments):
    with station.connect() as connection:
        return {diagnosis.name: diagnosis for diagnosis in check_server(connection, **arguments)}


def alter(station, change):
    """Change the station's database; sessions that are opened afterwards have it."""
    with psycopg.connect(station.dsn, autocommit=True) as connection:
        name = psycopg.sql.Identifier(connection.info.dbname).as_string()
        connection.execute(f"ALTER DATABASE {name} {change}")


def test_a_server_without_a_problem_yields_nothing(station):
    assert found_on(station) == {}


def test_a_read_only_default_is_a_problem_with_the_statement(station, diagnoses_of):
    """Each run would fail at its first write."""
    alter(station, "SET default_transaction_read_only TO on")
    found = diagnoses_of(check_database, DATABASE_URL=station.dsn)["database: read-only"]
    assert not found.ok
    assert "may write nothing: default_transaction_read_only is on" in found.says
    with psycopg.connect(station.dsn, autocommit=True) as connection:  # a read-only session, as the administrator's is
        for statement in found.advice.partition(" run: ")[2].split("; "):
            connection.execute(statement)
    assert found_on(station) == {}


def test_a_read_only_default_of_the_url_is_found(station, diagnoses_of):
    url = f"{station.dsn}&options=-c%20default_transaction_read_only%3Don"
    assert not diagnoses_of(check_database, DATABASE_URL=url)["database: read-only"].ok


@pytest.mark.parametrize(("skew_h", "says"), [(1, "3600 s behind this"), (-1, "3600 s ahead of this")])
def test_a_clock_that_is_an_hour_off_is_a_problem(station, skew_h, says):
    """It is our clock that is moved: the server's is the machine's."""
    found = found_on(station, now=lambda: datetime.now(UTC) + timedelta(hours=skew_h))["database: clock"]
    assert (found.ok, says in found.says) == (False, True)


def test_a_clock_within_the_tolerance_is_none(station):
    assert found_on(station, now=lambda: datetime.now(UTC) + CLOCK_TOLERANCE / 2) == {}


def test_a_slow_answer_is_no_clock_that_differs(station):
    """The server looked at its clock some time within the ten minutes that the answer took."""
    times = iter([datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC) + timedelta(minutes=5)])
    assert found_on(station, now=lambda: next(times)) == {}


@pytest.mark.parametrize("others", [0, 3])
def test_few_connections_left_are_a_problem_with_their_number(station, others):
    alter(station, f"CONNECTION LIMIT {CONNECTIONS_NEEDED}")
    sessions = [psycopg.connect(station.dsn) for _ in range(others)]
    try:
        found = found_on(station)["database: connections"]
    finally:
        for session in sessions:
            session.close()
    assert not found.ok
    assert f"takes only {CONNECTIONS_NEEDED - 1 - others} more" in found.says
    alter(station, f"CONNECTION LIMIT {CONNECTIONS_NEEDED + 50}")
    assert found_on(station) == {}


def test_the_up_of_this_station_is_named(station, tmp_path):
    with station_lock.held(station, tmp_path):
        found = found_on(station)["wxyc up"]
    assert found.ok
    assert "runs on this station: wxyc up " in found.says
    assert found_on(station) == {}
