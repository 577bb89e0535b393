"""The sensor that ends runs whose process is gone."""

from typing import Any

import dagster as dg
import pytest

from sensors.dead_runs import dead_runs
from tests.fake_dagster_runs import begin, status_of
from wxyc_assets.database.migrate import migrate
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.runs import ledger
from wxyc_assets.runs.advisory_locks import run_locks


@pytest.fixture
def tick(instance, station):
    """Runs one tick of the sensor and returns its skip message."""

    def run() -> Any:
        skipped: Any = dead_runs(
            dg.build_sensor_context(instance=instance, resources={"postgres": station, "billing_postgres": station})
        )
        return skipped.skip_message

    return run


def test_a_run_whose_process_is_gone_is_ended_and_named_once(tick, instance, station):
    run_id = begin(instance)
    with run_locks(station, run_id), station.connect() as connection:
        ledger.begin_run(connection, run_id, "album_metadata", "routine")
        assert tick() == "no run has lost its process"
    assert tick() == f"ended 1 runs whose process was gone: {run_id}"
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE
    assert tick() == "no run has lost its process"


def test_the_sensor_runs_without_being_switched_on():
    """The automation requests nothing of an asset with a dead run."""
    assert dead_runs.default_status is dg.DefaultSensorStatus.RUNNING


def test_a_station_without_our_schema_says_what_to_do(tick, station):
    migrate(station, "base")
    with pytest.raises(MigrationError, match="run `wxyc migrate`"):
        tick()
