"""What remains of old runs in Dagster's storage, and what Dagster then shows."""

import os
import time
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.events import AssetObservationData, DagsterEvent
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.remote_origin import RemoteInstigatorOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType, SensorInstigatorData
from dagster._core.storage.compute_log_manager import ComputeIOType

from tests.fake_dagster_runs import ORIGIN, begin
from wxyc_assets.monitoring.alerts.event_log import newest_event


def logs_of(instance, run_id):
    return Path(instance.compute_log_manager.get_captured_local_path([run_id, "any"], "err")).parent


def ingested(storages, *runs):
    storages.runs.ingest()
    storages.age(*runs)
    return runs


def test_a_superseded_run_is_removed_with_all_that_it_stored(storages):
    old, _ = storages.runs.run(0, 3, fails=["of_shards"]), storages.runs.run(0, 3)
    ingested(storages, old)
    before = storages.shown()
    assert logs_of(storages.instance, old).exists()
    storages.prune()
    assert storages.instance.get_run_by_id(old) is None
    assert storages.dagster("SELECT count(*) FROM event_logs WHERE run_id = %s", old) == [(0,)]
    assert storages.dagster("SELECT count(*) FROM asset_check_executions WHERE run_id = %s", old) == [(0,)]
    assert storages.dagster("SELECT count(*) FROM run_tags WHERE run_id = %s", old) == [(0,)]
    assert not logs_of(storages.instance, old).exists()
    assert storages.shown() == before


def test_a_run_keeps_what_is_the_latest_of_its_partitions(storages):
    """Its row, its latest materializations and its latest evaluations remain; nothing else of it does."""
    first, second = storages.runs.run(0, 15, fails=["of_it_all"]), storages.runs.run(0, 3)
    ingested(storages, first, second, storages.runs.run(0, 0))
    storages.runs.run(9, 9)
    storages.runs.ingest()
    before = storages.shown()
    storages.prune()
    assert storages.shown() == before
    kept = storages.dagster(
        "SELECT run_id, dagster_event_type, count(*) FROM event_logs WHERE run_id = ANY (%s) GROUP BY 1, 2",
        [first, second],
    )
    materialized = dg.DagsterEventType.ASSET_MATERIALIZATION.value
    assert sorted(kept) == sorted([(first, materialized, 11), (second, materialized, 3)])
    assert storages.instance.get_run_by_id(first).is_success


def test_a_partition_that_failed_last_is_still_shown_so(storages):
    run, failed = storages.runs.run(0, 1), storages.runs.run(0, 1, misses=["1"])
    ingested(storages, run, failed, storages.runs.run(5, 5))
    before = storages.shown()
    storages.prune()
    assert storages.shown() == before


def test_the_latest_observation_of_an_asset_stays(storages):
    """A run of observations only keeps its row and that event; an older one goes."""
    runs = [begin(storages.instance, dg.DagsterRunStatus.SUCCESS) for _ in range(2)]
    for run in runs:
        event = DagsterEvent(
            dg.DagsterEventType.ASSET_OBSERVATION.value,
            "job",
            event_specific_data=AssetObservationData(dg.AssetObservation("seen", metadata={"rows": 7})),
        )
        storages.instance.report_dagster_event(event, run)
    storages.runs.run(0, 0)
    ingested(storages, *runs)
    storages.prune()
    (seen,) = storages.instance.fetch_observations(dg.AssetKey("seen"), limit=9).records
    assert (seen.run_id, [storages.instance.has_run(run) for run in runs]) == (runs[1], [False, True])


def test_a_run_of_less_than_the_age_stays_whole(storages):
    run = storages.runs.run(0, 3)
    storages.runs.run(0, 3)
    storages.runs.ingest()
    storages.age(run, days=89)
    before = storages.stored()
    assert storages.counts() == {}
    assert storages.stored() == before


def test_a_run_that_has_not_ended_stays_whole(storages):
    run = begin(storages.instance)
    ingested(storages, run)
    storages.runs.run(0, 0)
    assert storages.counts() == {}


def test_runs_that_the_alerts_have_not_read_stay_and_are_counted(storages):
    run = storages.runs.run(0, 3)
    storages.runs.run(0, 3)
    storages.age(run)
    pruned = storages.prune()
    assert (pruned.unread_runs, storages.instance.has_run(run)) == (1, True)
    assert storages.runs.ingest() == 2
    storages.age(run, days=0)
    assert (storages.prune().unread_runs, storages.instance.has_run(run)) == (0, False)


def test_the_run_of_an_open_alert_stays_whole(storages):
    run = storages.runs.run(0, 3, fails=["of_shards"])
    storages.runs.ingest()
    storages.runs.run(4, 5)
    storages.runs.ingest()
    storages.age(run)
    events = storages.dagster("SELECT count(*) FROM event_logs WHERE run_id = %s", run)
    assert storages.counts() == {}
    assert storages.dagster("SELECT count(*) FROM event_logs WHERE run_id = %s", run) == events


@pytest.mark.parametrize(
    ("status", "kept"), [(BulkActionStatus.REQUESTED, True), (BulkActionStatus.COMPLETED_SUCCESS, False)]
)
def test_runs_of_a_backfill_stay_until_it_has_ended(storages, status, kept):
    storages.instance.add_backfill(
        PartitionBackfill("bf", status, from_failure=False, tags={"a": "b"}, backfill_timestamp=1.0)
    )
    run = begin(storages.instance, dg.DagsterRunStatus.SUCCESS, {"dagster/backfill": "bf"})
    storages.runs.run(0, 0)
    ingested(storages, run)
    storages.prune()
    assert storages.instance.has_run(run) is kept
    assert bool(storages.dagster("SELECT key FROM bulk_actions")) is kept
    assert bool(storages.dagster("SELECT key FROM backfill_tags")) is kept


def test_the_alerts_read_on_when_every_event_is_old(storages):
    """The newest event stays: without it the storage would count as a new one, and every order would be lost."""
    runs = [storages.runs.run(0, 3, fails=["of_shards"]), storages.runs.run(0, 3)]
    ingested(storages, *runs)
    newest = newest_event(storages.instance)
    storages.prune()
    assert newest_event(storages.instance) == newest
    assert storages.runs.ingest() == 0
    assert storages.runs.alerts() == {}
    assert storages.runs.rows("SELECT count(*) FROM wxyc_assets.heard_run WHERE event_id > 0") == [(1,)]


def test_what_the_alerts_have_read_is_forgotten_with_the_run(storages):
    old, _ = storages.runs.run(0, 3), storages.runs.run(0, 3)
    ingested(storages, old)
    storages.prune()
    assert storages.runs.rows("SELECT count(*) FROM wxyc_assets.heard_run WHERE run_id <> ''") == [(1,)]
    assert storages.runs.ingest() == 0


def test_old_ticks_are_removed_but_for_the_last(storages):
    state = _sensor(storages.instance)
    storages.add_ticks(state, [400, 200, 91, 89, 1])
    assert storages.counts() == {"ticks": 3}
    assert storages.counts() == {}
    quiet = _sensor(storages.instance, "quiet")
    storages.add_ticks(quiet, [300, 200, 100])
    assert storages.counts() == {"ticks": 2}
    assert len(storages.instance.get_ticks(quiet.instigator_origin_id, quiet.selector_id)) == 1


def test_old_log_files_of_ticks_are_removed(storages):
    state = _sensor(storages.instance)
    repository = state.origin.repository_origin.repository_name
    for name, days in (("old", 100), ("young", 1)):
        key = [repository, state.instigator_name, name]
        with storages.instance.compute_log_manager.open_log_stream(key, ComputeIOType.STDERR) as stream:
            stream.write("said")
        _touch(Path(storages.instance.compute_log_manager.get_captured_local_path(key, "err")), days)
    assert storages.counts(dry_run=True) == {"tick_logs": 1}
    assert storages.counts() == {"tick_logs": 1}
    assert storages.counts() == {}


def _touch(path, days):
    at = time.time() - days * 86_400
    os.utime(path, (at, at))


def _sensor(instance, name="a_sensor"):
    origin = RemoteInstigatorOrigin(ORIGIN.repository_origin, name)
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING, SensorInstigatorData())
    return instance.add_instigator_state(state)
