"""Executes a job of the code location in this process, as a run that Dagster's UI shows like those of its daemon."""

import sys
from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

from wxyc_assets.cli.interrupts import not_lost

LOCATION = "wxyc_assets"
"""The name of the code location, in every workspace.yaml."""

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""Keeps Dagster's own log off stderr."""


def execute(
    job: dg.JobDefinition,
    instance: dg.DagsterInstance,
    *,
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    run_config: Mapping[str, Any] | None = None,
) -> dg.DagsterRun:
    """Execute a job and return its run, as it ended. A failure of the run raises nothing; an interruption does.

    ``JobDefinition.execute_in_process`` creates a run that belongs to no code location: the UI's timeline and the page of the
    job leave such a run out.
    """
    run = instance.create_run_for_job(
        job,
        run_id=run_id,
        run_config={**(run_config or {}), **QUIET},
        tags={**job.run_tags, **(tags or {})},
        remote_job_origin=_repository().get_job_origin(job.name),
    )
    with not_lost():
        return execute_run(InMemoryJob(job), run, instance).dagster_run


def _repository() -> RemoteRepositoryOrigin:
    target = LoadableTargetOrigin(
        executable_path=sys.executable,
        module_name="wxyc_assets.definitions",
    )
    return RemoteRepositoryOrigin(ManagedGrpcPythonEnvCodeLocationOrigin(target, LOCATION), "__repository__")
