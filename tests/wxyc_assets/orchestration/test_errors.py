"""The exception at the root of what Dagster records."""

import dagster as dg
import pytest

from wxyc_assets.orchestration.errors import root_cause


@dg.op
def fails():
    raise RuntimeError("a wrapper of ours") from ValueError("the root")


@pytest.fixture
def recorded(instance):
    """The error that Dagster records of a step whose exception has a cause of its own."""
    job = dg.GraphDefinition("fails_job", node_defs=[fails]).to_job()
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    run = job.execute_in_process(instance=instance, raise_on_error=False, run_config=quiet)
    (event,) = [event for event in run.all_events if event.is_step_failure]
    return event.step_failure_data.error


def test_root_cause_is_the_innermost_exception(recorded):
    assert recorded.cls_name == "DagsterExecutionStepExecutionError"
    assert recorded.cause.cls_name == "RuntimeError"
    assert (root_cause(recorded).cls_name, root_cause(recorded).message) == ("ValueError", "ValueError: the root\n")


def test_error_without_a_cause_is_its_own_root(recorded):
    root = root_cause(recorded)
    assert root_cause(root) is root
