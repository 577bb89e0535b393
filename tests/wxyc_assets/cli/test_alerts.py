"""``wxyc alerts``: what is wrong, without any Sentry; and that runs of the command line keep and tell it themselves."""

import pytest

from tests.sentry_server import free_port, sentry_server
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.faults import Fault


@pytest.fixture(autouse=True)
def libraries(station):
    with station.connect() as connection:
        generate_libraries(connection, 48, first_id=1)


def fails(wxyc, settings, lml):
    """A run in which LML answers what it was not asked."""
    lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="foreign", times=None))
    finished = wxyc("run", "library_identity", **settings)
    lml.faults.clear()
    assert finished.exit_code == 2
    return finished


def test_a_station_that_is_well_says_so_and_that_nobody_watches(wxyc, at_station):
    finished = wxyc("alerts", **at_station)
    assert finished.exit_code == 0
    assert finished.printed == {
        "open": 0, "causes": 0, "errors": 0, "undelivered": 0, "sentry": "not configured", "delivery_problem": None,
        "watched_at": None, "watched": False, "alerts": [],
    }  # fmt: skip
    assert "no open alert" in finished.stderr
    assert "nobody watches: the sensor alerts never looked" in finished.stderr
    assert "SENTRY_DSN is not set" in finished.stderr


def test_what_a_run_of_the_command_line_finds_is_listed_at_once_without_a_sentry_or_a_daemon(wxyc, at_station, lml):
    run = fails(wxyc, at_station, lml)
    finished = wxyc("alerts", **at_station)
    (alert,) = [one for one in finished.printed["alerts"] if one["source"] == "answers_trusted"]
    assert (alert["asset"], alert["kind"], alert["severity"], alert["occurrences"]) == (
        "library_identity", "check", "error", 1,
    )  # fmt: skip
    assert [alert["run_id"]] == run.printed["run_ids"]
    assert alert["numbers"]["lml_untrusted_library_id"] > 0
    assert alert["delivered_at"] is None
    assert "ERROR     library_identity: check answers_trusted failed" in finished.stderr


def test_what_has_recovered_is_not_listed_unless_it_is_asked_for(wxyc, at_station, lml):
    fails(wxyc, at_station, lml)
    assert wxyc("run", "library_identity", **at_station).exit_code == 0
    assert wxyc("alerts", **at_station).printed["alerts"] == []
    finished = wxyc("alerts", "--recovered", **at_station)
    assert {one["source"] for one in finished.printed["alerts"]} >= {"answers_trusted"}
    assert finished.printed["open"] == 0
    assert "recovered library_identity: check answers_trusted failed" in finished.stderr


def test_a_run_that_failed_is_listed_with_the_checks_that_it_could_not_evaluate(wxyc, at_station):
    settings = {**at_station, "PRICE_FILE": None}
    run = wxyc("run", "rated_usage", **{name: value for name, value in settings.items() if value})
    assert run.exit_code == 1
    finished = wxyc("alerts", **at_station)
    heads = [one for one in finished.printed["alerts"] if one["part_of"] is None]
    assert [(one["kind"], one["source"]) for one in heads] == [("run", "rated_usage")]
    assert finished.printed["causes"] == 1
    assert finished.printed["open"] == len(finished.printed["alerts"]) > 5
    assert "PRICE_FILE is not set" in finished.stderr
    assert "checks of it could not be evaluated" in finished.stderr


def test_a_run_of_the_command_line_tells_sentry_itself(wxyc, at_station, lml):
    with sentry_server() as sentry:
        fails(wxyc, {**at_station, "SENTRY_DSN": sentry.dsn}, lml)
        (event,) = sentry.told(source="answers_trusted", alert="raised")
        assert event["level"] == "error"
        finished = wxyc("alerts", **at_station, SENTRY_DSN=sentry.dsn)
    assert (finished.printed["sentry"], finished.printed["undelivered"]) == ("configured", 0)


def test_a_sentry_that_is_down_costs_a_run_nothing_but_a_word(wxyc, at_station, lml):
    dsn = f"http://a-public-key@127.0.0.1:{free_port()}/42"
    finished = fails(wxyc, {**at_station, "SENTRY_DSN": dsn}, lml)
    assert (
        "alerts are kept and not told yet, the sensor alerts does it later: Sentry cannot be reached" in finished.stderr
    )
    listed = wxyc("alerts", **at_station, SENTRY_DSN=dsn)
    assert listed.printed["undelivered"] == listed.printed["open"] > 0
    assert "Sentry does not have it: Sentry cannot be reached" in listed.stderr


def test_a_person_can_close_what_cannot_recover_and_nothing_else(wxyc, at_station, lml):
    fails(wxyc, at_station, lml)
    (alert,) = [one for one in wxyc("alerts", **at_station).printed["alerts"] if one["source"] == "answers_trusted"]
    mixed = wxyc("alerts", "--close", str(alert["alert_id"]), "--close", "999", **at_station)
    assert (mixed.exit_code, "none was closed" in mixed.printed["error"]) == (1, True)
    finished = wxyc("alerts", "--close", str(alert["alert_id"]), **at_station)
    assert finished.exit_code == 0
    assert "answers_trusted" not in {one["source"] for one in finished.printed["alerts"]}
    again = wxyc("alerts", "--close", str(alert["alert_id"]), **at_station)
    assert (again.exit_code, "no alert is open under" in again.printed["error"]) == (1, True)


@pytest.mark.parametrize("command", ["alerts", "status"])
def test_a_database_that_is_down_exits_1_and_says_what_to_do(wxyc, at_station, command):
    finished = wxyc(command, **{**at_station, "DATABASE_URL": f"postgresql://x:secretpw@127.0.0.1:{free_port()}/x"})
    assert finished.exit_code == 1
    assert "wxyc doctor" in finished.printed["error"]
    assert "secretpw" not in finished.stdout + finished.stderr


@pytest.mark.parametrize("command", ["alerts", "status"])
def test_a_station_without_our_schema_exits_1_and_says_what_to_do(wxyc, at_station, database, command):
    finished = wxyc(command, **{**at_station, "DATABASE_URL": database})
    assert (finished.exit_code, "run `wxyc migrate`" in finished.printed["error"]) == (1, True)


@pytest.mark.parametrize("nonsense", ["x", "0", "-3", "99999999999999999999"])
def test_what_is_no_id_is_refused_without_a_traceback(wxyc, at_station, nonsense):
    finished = wxyc("alerts", "--close", nonsense, **at_station)
    assert (finished.exit_code, "--close" in finished.printed["error"]) == (1, True)
    assert "Traceback" not in finished.stderr


def test_a_database_without_a_station_says_what_to_do(wxyc, at_station, database):
    settings = {**at_station, "DATABASE_URL": database}
    assert wxyc("migrate", **settings).exit_code == 0
    finished = wxyc("status", **settings)
    assert finished.exit_code == 1
    assert 'relation "library_identity" does not exist. `wxyc doctor` says what is missing' in finished.printed["error"]
    assert "Traceback" not in finished.stderr
