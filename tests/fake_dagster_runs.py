"""Makes runs as Dagster knows them, without a process behind them."""

import uuid
from collections.abc import Mapping

import dagster as dg
from dagster._core.events import DagsterEvent, DagsterEventType
from dagster._core.remote_origin import InProcessCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.test_utils import create_run_for_test
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

Status = dg.DagsterRunStatus
_LOCATION = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name="wxyc_assets.definitions"))
ORIGIN = RemoteJobOrigin(RemoteRepositoryOrigin(_LOCATION, "__repository__"), "job")  # a queued run must have one
_EVENTS = {
    Status.NOT_STARTED: [],
    Status.QUEUED: [DagsterEventType.RUN_ENQUEUED],
    Status.STARTING: [DagsterEventType.RUN_STARTING],
    Status.STARTED: [DagsterEventType.RUN_START],
    Status.CANCELING: [DagsterEventType.RUN_START, DagsterEventType.RUN_CANCELING],
    Status.SUCCESS: [DagsterEventType.RUN_START, DagsterEventType.RUN_SUCCESS],
}


def begin(
    instance: dg.DagsterInstance,
    status: Status = Status.STARTED,
    tags: Mapping[str, str] | None = None,
    *,
    job: str = "job",
) -> str:
    """Make a run that has come as far as ``status`` and return its id."""
    run_id = str(uuid.uuid4())
    create_run_for_test(instance, job_name=job, run_id=run_id, tags=dict(tags or {}), remote_job_origin=ORIGIN)
    for kind in _EVENTS[status]:
        instance.report_dagster_event(DagsterEvent(kind.value, job), run_id)
    assert status_of(instance, run_id) is status
    return run_id


def status_of(instance: dg.DagsterInstance, run_id: str) -> Status:
    """Return the status that Dagster has of a run."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run.status
