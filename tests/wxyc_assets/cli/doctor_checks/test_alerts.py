"""The check that the sensor ``alerts`` runs: while it does not, only runs of the command line raise alerts."""

import pytest

from wxyc_assets.cli.doctor_checks.alerts import check_alerts
from wxyc_assets.database.migrate import migrate


@pytest.fixture
def sensor(diagnoses_of, station):
    """Sets when the sensor last ran, and returns what the check says then."""

    def check(state):
        with station.connect() as connection:
            connection.execute(f"UPDATE wxyc_assets.alert_watch SET {state}")
        (diagnosis,) = diagnoses_of(check_alerts, DATABASE_URL=station.dsn).values()
        assert diagnosis.ok  # a run works without it
        return diagnosis

    return check


def test_a_sensor_that_runs_is_said_to_run(sensor):
    assert sensor("looked_at = now()").says.startswith("the sensor `alerts` last ran ")


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ("looked_at = NULL", "has never run"),
        ("looked_at = now() - interval '6 minutes'", "last ran 6 min ago"),
    ],
)
def test_a_sensor_that_is_off_is_a_warning_with_advice(sensor, state, says):
    diagnosis = sensor(state)
    assert diagnosis.says == f"WARNING: the sensor `alerts` {says}, so that only runs of the command line raise alerts"
    assert "`wxyc up`" in diagnosis.advice


def test_a_sentry_that_takes_nothing_is_a_warning(sensor):
    assert sensor("looked_at = now(), problem = 'Sentry answered 503'").says == "WARNING: Sentry answered 503"


def test_without_a_database_or_our_schema_other_checks_say_so(diagnoses_of, station, tmp_path):
    assert diagnoses_of(check_alerts, WXYC_HOME=str(tmp_path)) == {}
    migrate(station, "base")
    assert diagnoses_of(check_alerts, DATABASE_URL=station.dsn) == {}
