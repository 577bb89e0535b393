"""Runs in this process belong to the code location, as the UI's timeline and the page of their job require."""

import dagster as dg
import pytest
import yaml

from tests.processes import ROOT
from wxyc_assets.cli.in_process import LOCATION, execute


@dg.op
def works():
    pass


@dg.op
def fails():
    raise RuntimeError("broken")


def _job(op: dg.OpDefinition) -> dg.JobDefinition:
    return dg.GraphDefinition("a_job", node_defs=[op]).to_job(
        tags={"of": "the job"}, executor_def=dg.in_process_executor
    )


def test_a_run_belongs_to_the_code_location_from_its_start(instance):
    run = execute(_job(works), instance, run_id="11111111-1111-4111-8111-111111111111", tags={"of": "the run"})
    assert (run.run_id, run.is_success) == ("11111111-1111-4111-8111-111111111111", True)
    assert (run.tags["of"], run.tags["dagster/code_location"]) == ("the run", LOCATION)
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.job_name == "a_job"


def test_a_run_that_fails_raises_nothing_and_is_returned(instance):
    assert execute(_job(fails), instance).is_failure


@pytest.mark.parametrize("workspace", ["wxyc_assets/cli/workspace.yaml", "workspace.yaml", "deploy/workspace.yaml"])
def test_every_workspace_names_the_code_location_alike(workspace):
    """The timeline compares by name."""
    (entry,) = yaml.safe_load((ROOT / workspace).read_text())["load_from"]
    ((_, location),) = entry.items()
    assert location["location_name"] == LOCATION
