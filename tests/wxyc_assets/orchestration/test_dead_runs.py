"""Runs whose process is gone are ended in Dagster, and no others."""

import multiprocessing
import time
from datetime import timedelta

import dagster as dg
import pytest

from tests.fake_dagster_runs import begin, status_of
from tests.waiting import wait_for
from wxyc_assets.orchestration import dead_runs
from wxyc_assets.orchestration.dead_runs import GRACE, end_dead_runs
from wxyc_assets.runs import ledger
from wxyc_assets.runs.advisory_locks import run_locks

STARTED = dg.DagsterRunStatus.STARTED
_spawn = multiprocessing.get_context("spawn")


def _work(postgres, run_id, working):
    """Hold the lock of a run, recorded as at work, until killed."""
    with run_locks(postgres, run_id), postgres.connect() as connection:
        ledger.begin_run(connection, run_id, "library_identity", "routine")
        working.set()
        time.sleep(600)


@pytest.fixture
def working(station):
    """Starts processes that work on runs; those alive at the end are killed."""
    processes = []

    def start(run_id):
        ready = _spawn.Event()
        process = _spawn.Process(target=_work, args=(station, run_id, ready), daemon=True)
        process.start()
        processes.append(process)
        assert ready.wait(120)
        return process

    yield start
    for process in processes:
        process.kill()
        process.join()


@pytest.fixture
def connection(station):
    with station.connect() as session:
        yield session


@pytest.fixture
def later(connection):
    """Lets time pass for what the database knows of runs."""

    def move(by):
        connection.execute("UPDATE wxyc_assets.open_run SET first_seen_at = clock_timestamp() - %s::interval", [by])
        connection.execute(
            "UPDATE wxyc_assets.run SET ended_at = clock_timestamp() - %s::interval WHERE ended_at IS NOT NULL", [by]
        )

    return move


def test_killed_run_is_ended_with_the_reason(instance, connection, working):
    run_id = begin(instance)
    working(run_id).kill()
    ended = wait_for(lambda: end_dead_runs(instance, [connection]), "dead run, once the server notices the lost client")
    assert ended == [run_id]
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE
    (failure,) = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
    assert "The process of this run is gone" in failure.event_log_entry.message
    assert end_dead_runs(instance, [connection]) == []


@pytest.mark.parametrize("status", [STARTED, dg.DagsterRunStatus.CANCELING])
def test_run_that_holds_its_lock_is_left_alone(instance, connection, working, later, status):
    run_id = begin(instance, status)
    working(run_id)
    assert end_dead_runs(instance, [connection]) == []
    later(timedelta(days=30))
    assert end_dead_runs(instance, [connection]) == []
    assert status_of(instance, run_id) is status


@pytest.mark.parametrize("status", [STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING])
def test_run_has_grace_to_take_its_lock(instance, connection, later, status):
    run_id = begin(instance, status)
    assert end_dead_runs(instance, [connection]) == []
    later(GRACE - timedelta(seconds=30))
    assert end_dead_runs(instance, [connection]) == []
    assert status_of(instance, run_id) is status
    later(GRACE + timedelta(seconds=1))
    assert end_dead_runs(instance, [connection]) == [run_id]
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE


def test_run_that_ended_has_grace_to_report_to_dagster(instance, connection, later):
    run_id = begin(instance)
    ledger.begin_run(connection, run_id, "library_identity", "routine")
    ledger.end_run(connection, run_id, "done", "")
    assert end_dead_runs(instance, [connection]) == []
    later(GRACE + timedelta(seconds=1))
    assert end_dead_runs(instance, [connection]) == [run_id]


@pytest.mark.parametrize("skew", [timedelta(hours=1), timedelta(hours=-1)])
def test_the_clock_of_a_run_host_ends_no_live_run(instance, connection, monkeypatch, skew):
    """The run has started, and is about to take its lock."""
    now = time.time
    with monkeypatch.context() as host:
        host.setattr(time, "time", lambda: now() + skew.total_seconds())
        begin(instance)
    assert end_dead_runs(instance, [connection]) == []


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.QUEUED])
def test_a_run_that_ended_or_waits_is_not_touched(instance, connection, later, status):
    run_id = begin(instance, status)
    ledger.begin_run(connection, run_id, "library_identity", "routine")
    later(timedelta(days=30))
    assert end_dead_runs(instance, [connection]) == []
    assert status_of(instance, run_id) is status


def test_only_dead_runs_are_ended(instance, connection, working):
    living, dead, starting = (begin(instance) for _ in range(3))
    working(living)
    ledger.begin_run(connection, dead, "library_identity", "routine")
    assert end_dead_runs(instance, [connection]) == [dead]
    assert [status_of(instance, run_id) for run_id in (living, starting)] == [STARTED, STARTED]


def test_run_that_ends_between_two_queries_is_not_dead(instance, connection, monkeypatch):
    run_id = begin(instance)
    ledger.begin_run(connection, run_id, "library_identity", "routine")
    query = dead_runs._dead

    def ends_after_the_first_query(*args):
        found = query(*args)
        ledger.end_run(connection, run_id, "done", "")
        return found

    monkeypatch.setattr(dead_runs, "_dead", ends_after_the_first_query)
    assert end_dead_runs(instance, [connection]) == []


def test_a_materialization_is_recorded_on_postgres(instance):
    @dg.asset
    def thing() -> None: ...

    assert dg.materialize([thing], instance=instance).success
    assert instance.get_latest_materialization_event(dg.AssetKey("thing")) is not None
