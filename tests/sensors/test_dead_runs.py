import dagster as dg
import pytest

from sensors.dead_runs import dead_runs
from tests.runs import begin, status_of
from wxyc_assets import ledger
from wxyc_assets.migrate import migrate
from wxyc_assets.revision import MigrationError
from wxyc_assets.single_flight import run_locks


@pytest.fixture
def look(instance, station):
    """Ticks the sensor, and returns what it says."""
    return lambda: dead_runs(dg.build_sensor_context(instance=instance, resources={"postgres": station})).skip_message


def test_a_run_whose_process_is_gone_is_ended_and_named_once(look, instance, station):
    run_id = begin(instance)
    with run_locks(station, run_id), station.connect() as connection:
        ledger.begin_run(connection, run_id, "album_metadata", "routine")
        assert look() == "no run has lost its process"
    assert look() == f"ended 1 runs whose process was gone: {run_id}"
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE
    assert look() == "no run has lost its process"


def test_it_works_without_being_switched_on_since_the_automation_waits_for_dead_runs_too():
    assert dead_runs.default_status is dg.DefaultSensorStatus.RUNNING


def test_a_station_without_our_schema_says_what_to_do(look, station):
    migrate(station, "base")
    with pytest.raises(MigrationError, match="run `wxyc migrate`"):
        look()
