"""Failed runs of jobs that materialize nothing: ours are found in the definitions, and run as they are."""

from dataclasses import replace
from typing import Any

import dagster as dg
import pytest

from tests.wxyc_assets.monitoring.alerts.scripted_asset import ScriptedRuns
from wxyc_assets.definitions import build_defs
from wxyc_assets.orchestration.dry_runs import DRY_RUN_TAG
from wxyc_assets.orchestration.external_asset import external_asset

MADE_UP: dict[str, Any] = {"group": "g", "owner": "team:made-up", "kind": "made_up", "description": "Made up."}
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
JOBS = sorted(
    job.name
    for job in build_defs().resolve_all_job_defs()
    if DRY_RUN_TAG not in job.tags and not job.asset_layer.executable_asset_keys
)
"""Our jobs of ops, without dry runs, which raise no alert."""


def run(runs: ScriptedRuns, job: str, **resources: object) -> str:
    defs = build_defs(**resources)
    return (
        defs.resolve_job_def(job)
        .execute_in_process(instance=runs.instance, raise_on_error=False, run_config=QUIET)
        .run_id
    )


def test_the_jobs_without_assets_are_known():
    assert JOBS == ["prune_storage", "seal_hours"]


@pytest.mark.parametrize("job", JOBS)
def test_a_failed_run_raises_an_alert_until_a_run_succeeds(runs, job):
    gone = replace(runs.postgres, dsn="postgresql://u@127.0.0.1:1/gone")
    failed = run(runs, job, postgres=gone, billing_postgres=gone)
    assert runs.ingest() == 1
    ((source, kind, severity, message, found),) = runs.rows(
        "SELECT source, kind, severity, message, run_id FROM wxyc_assets.alert WHERE asset = " + f"'{job}'"
    )
    assert (kind, severity, found) == ("run", "error", failed)
    assert source in {"seal_rated_hours", "remove_old_storage"}
    assert message.startswith(f"{job}: run failed: ")
    run(runs, job, postgres=gone, billing_postgres=gone)
    runs.ingest()
    ((fingerprint, state),) = runs.alerts().items()
    assert state == ([""], 2)
    run(runs, job, postgres=runs.postgres, billing_postgres=runs.postgres)
    runs.ingest()
    assert (runs.alerts(), runs.alerts(closed=True)) == ({}, {fingerprint: ([], 2)})


def test_a_failure_that_becomes_visible_after_a_success_is_no_alert(runs, monkeypatch):
    """The order of Dagster's storage decides, not that of reading."""
    gone = replace(runs.postgres, dsn="postgresql://u@127.0.0.1:1/gone")
    failed = run(runs, "seal_hours", billing_postgres=gone)
    run(runs, "seal_hours", billing_postgres=runs.postgres)
    with monkeypatch.context() as hidden:
        read = runs.instance.get_run_record_by_id
        hidden.setattr(
            type(runs.instance), "get_run_record_by_id", lambda _, run_id: None if run_id == failed else read(run_id)
        )
        runs.ingest()
    runs.rows("DELETE FROM wxyc_assets.heard_run WHERE run_id = " + f"'{failed}' RETURNING 1")
    runs.ingest()
    assert runs.alerts() == {}


@external_asset("observed", **MADE_UP)
def observed() -> dg.ObserveResult:
    """Follow the script."""
    raise LookupError("no such file")


@external_asset("beside", **MADE_UP)
def beside() -> dg.ObserveResult:
    """Observe nothing."""
    return dg.ObserveResult(asset_key="beside")


def test_a_failed_observation_raises_an_alert_of_its_asset(runs):
    """The other assets of the run have none."""
    job = dg.define_asset_job("observe", selection=["observed", "beside"])
    defs = dg.Definitions(assets=[observed, beside], jobs=[job], executor=dg.in_process_executor)
    defs.resolve_job_def("observe").execute_in_process(instance=runs.instance, raise_on_error=False, run_config=QUIET)
    runs.ingest()
    assert runs.alerts() == {"observed/observed/LookupError": ([""], 1)}
