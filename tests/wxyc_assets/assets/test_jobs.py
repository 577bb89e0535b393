"""Each asset has a job of its own, and schedules, sensors and dry runs launch jobs with a name."""

import dagster as dg
import pytest

from wxyc_assets.assets.jobs import ASSET_JOBS, OBSERVATION_JOB
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.definitions import defs

NAMED = {job.name for job in defs.jobs or ()}


@pytest.mark.parametrize("asset", BY_NAME)
def test_the_job_of_an_asset_runs_that_asset_with_its_checks(asset):
    layer = defs.resolve_job_def(BY_NAME[asset].job).asset_layer
    assert layer.selected_asset_keys == {dg.AssetKey(asset)}
    assert {key.asset_key for key in layer.asset_graph.asset_check_keys} == {dg.AssetKey(asset)}
    assert ASSET_JOBS[asset].name == BY_NAME[asset].job


def test_the_observation_job_observes_every_external_asset():
    keys = defs.resolve_job_def(OBSERVATION_JOB.name).asset_layer.asset_graph.observable_asset_keys
    assert keys == defs.resolve_asset_graph().observable_asset_keys


def test_schedules_and_sensors_launch_jobs_with_a_name():
    """Except the automation, whose runs Dagster launches outside of any job, and the sensors that launch nothing."""
    launched = {one.job.name for one in defs.schedules or () if isinstance(one, dg.ScheduleDefinition)}
    launched |= {one.job.name for one in defs.sensors or () if one.name == "stale_identities"}
    assert launched == NAMED - {info.dry_run_job for info in BY_NAME.values()} - {
        "run_album_metadata",
        "run_flowsheet_enrichment",
    }
