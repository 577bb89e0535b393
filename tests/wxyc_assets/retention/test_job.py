"""The job that prunes: what its run logs, and how it fails."""

import pytest

from wxyc_assets.definitions import build_defs
from wxyc_assets.runs.advisory_locks import Locks, lock_session

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@pytest.fixture
def run_job(storages):
    def run():
        defs = build_defs(postgres=storages.station, billing_postgres=storages.station)
        return defs.resolve_job_def("prune_storage").execute_in_process(
            instance=storages.instance, raise_on_error=False, run_config=QUIET
        )

    return run


def said(storages, result):
    return [entry.user_message for entry in storages.instance.all_logs(result.run_id)]


def test_the_job_removes_what_is_old_and_logs_how_much(storages, run_job):
    old, unread = storages.runs.run(0, 3), storages.runs.run(0, 3)
    storages.runs.ingest()
    storages.station_rows("DELETE FROM wxyc_assets.heard_run WHERE run_id = %s", unread)
    storages.runs.run(0, 3)
    storages.runs.ingest()
    storages.station_rows("DELETE FROM wxyc_assets.heard_run WHERE run_id = %s", unread)
    storages.age(old, unread)
    result = run_job()
    assert result.success
    lines = [line.split() for line in said(storages, result)]
    assert ["runs", "of", "Dagster", "1"] in [line[:4] for line in lines]
    assert "1 old runs stay: the sensor alerts has not read them" in said(storages, result)
    assert not storages.instance.has_run(old)
    assert storages.instance.has_run(unread)


def test_the_job_fails_with_the_reason_while_another_process_prunes(storages, run_job):
    with lock_session(storages.station, "another") as lock:
        Locks(lock).take(["prune"], wait_s=0)
        result = run_job()
    assert not result.success
    storages.runs.ingest()
    ((message,),) = storages.station_rows("SELECT message FROM wxyc_assets.alert")
    assert message.startswith("prune_storage: run failed: storage is being pruned by another (pid ")
