import multiprocessing
import time
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from tests.runs import begin, status_of
from wxyc_assets import dead_runs, ledger
from wxyc_assets.dead_runs import GRACE, end_dead_runs
from wxyc_assets.single_flight import run_locks

STARTED = dg.DagsterRunStatus.STARTED
_spawn = multiprocessing.get_context("spawn")


def _work(postgres, run_id, working):
    """Take up work under a run's id, and go on until killed."""
    with run_locks(postgres, run_id), postgres.connect() as connection:
        ledger.begin_run(connection, run_id, "library_identity", "routine")
        working.set()
        time.sleep(600)


@pytest.fixture
def working(station):
    """Starts processes that work on runs; whoever lives at the end is killed."""
    processes = []

    def start(run_id):
        ready = _spawn.Event()
        process = _spawn.Process(target=_work, args=(station, run_id, ready), daemon=True)
        process.start()
        processes.append(process)
        assert ready.wait(30)
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
def later(monkeypatch):
    """Moves this module's clock ahead."""

    def move(by):
        class Clock(datetime):
            @classmethod
            def now(cls, _zone=None):
                return datetime.now(UTC) + by

        monkeypatch.setattr(dead_runs, "datetime", Clock)

    return move


def test_a_run_whose_process_was_killed_is_ended_and_told_why(instance, connection, working):
    run_id = begin(instance)
    working(run_id).kill()
    for _ in range(100):
        if end_dead_runs(instance, connection) == [run_id]:
            break
        time.sleep(0.05)  # the server notices a lost client within moments
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE
    (failure,) = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.RUN_FAILURE).records
    assert "The process of this run is gone" in failure.event_log_entry.message
    assert end_dead_runs(instance, connection) == []


@pytest.mark.parametrize("status", [STARTED, dg.DagsterRunStatus.CANCELING])
def test_a_run_that_holds_its_lock_is_left_alone_however_long_it_works(instance, connection, working, later, status):
    run_id = begin(instance, status)
    working(run_id)
    later(timedelta(days=30))
    assert end_dead_runs(instance, connection) == []
    assert status_of(instance, run_id) is status


@pytest.mark.parametrize("status", [STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.CANCELING])
def test_a_run_has_the_grace_to_take_up_work(instance, connection, later, status):
    run_id = begin(instance, status)
    later(GRACE - timedelta(seconds=30))
    assert end_dead_runs(instance, connection) == []
    assert status_of(instance, run_id) is status
    later(GRACE + timedelta(seconds=1))
    assert end_dead_runs(instance, connection) == [run_id]
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE


def test_a_run_that_ended_by_itself_has_the_grace_to_tell_dagster(instance, connection, later):
    run_id = begin(instance)
    ledger.begin_run(connection, run_id, "library_identity", "routine")
    ledger.end_run(connection, run_id, "done", "")
    connection.execute(
        "UPDATE wxyc_assets.run SET started_at = started_at + interval '1 hour', ended_at = ended_at + interval '1 hour'"
    )
    later(timedelta(hours=1))
    assert end_dead_runs(instance, connection) == []
    later(timedelta(hours=1) + GRACE + timedelta(seconds=1))
    assert end_dead_runs(instance, connection) == [run_id]


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.QUEUED])
def test_a_run_that_ended_or_waits_is_not_touched(instance, connection, later, status):
    run_id = begin(instance, status)
    ledger.begin_run(connection, run_id, "library_identity", "routine")
    later(timedelta(days=30))
    assert end_dead_runs(instance, connection) == []
    assert status_of(instance, run_id) is status


def test_only_the_dead_are_ended(instance, connection, working):
    living, dead, starting = (begin(instance) for _ in range(3))
    working(living)
    ledger.begin_run(connection, dead, "library_identity", "routine")
    assert end_dead_runs(instance, connection) == [dead]
    assert [status_of(instance, run_id) for run_id in (living, starting)] == [STARTED, STARTED]


def test_a_run_that_ends_between_two_looks_is_no_corpse(instance, connection, monkeypatch):
    run_id = begin(instance)
    ledger.begin_run(connection, run_id, "library_identity", "routine")
    look = dead_runs._without_life

    def ends_after_the_first_look(*args):
        seen = look(*args)
        ledger.end_run(connection, run_id, "done", "")
        return seen

    monkeypatch.setattr(dead_runs, "_without_life", ends_after_the_first_look)
    assert end_dead_runs(instance, connection) == []


def test_a_materialization_is_recorded_on_postgres(instance):
    @dg.asset
    def thing() -> None: ...

    assert dg.materialize([thing], instance=instance).success
    assert instance.get_latest_materialization_event(dg.AssetKey("thing")) is not None
