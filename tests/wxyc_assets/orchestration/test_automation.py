"""Which shards the automation conditions request, on the real graph; tests/sensors/test_automation.py has the daemon."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationPlanned
from dagster._core.events import (
    AssetMaterializationPlannedData,
    DagsterEvent,
    DagsterEventType,
    StepMaterializationData,
)
from dagster._core.test_utils import create_run_for_test

from wxyc_assets.definitions import build_defs
from wxyc_assets.runs.partitions import SHARD_COUNT

EVERY_SHARD = set(range(SHARD_COUNT))
IDENTITY, METADATA, FLOWSHEET = "library_identity", "album_metadata", "flowsheet_enrichment"
SUCCEEDED, FAILED = DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE


class Run:
    """A run of one asset over some shards, as the events that Dagster receives."""

    def __init__(self, instance, asset, shards):
        self._instance, self._key = instance, dg.AssetKey(asset)
        self._run = create_run_for_test(instance, job_name="job", status=dg.DagsterRunStatus.STARTED)
        for shard in shards:
            planned = AssetMaterializationPlannedData(self._key, partition=str(shard))
            self._report(DagsterEventType.ASSET_MATERIALIZATION_PLANNED, planned)
        for check in GRAPH.get(self._key).check_keys:
            planned_check = AssetCheckEvaluationPlanned(asset_key=self._key, check_name=check.name)
            self._report(DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED, planned_check)

    def credit(self, *shards):
        for shard in shards:
            done = dg.AssetMaterialization(self._key, partition=str(shard))
            self._report(DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(done))
        return self

    def end(self, kind=SUCCEEDED):
        self._report(kind)

    def _report(self, kind, data=None):
        event = DagsterEvent(kind.value, "job", event_specific_data=data)
        self._instance.report_dagster_event(event, self._run.run_id)


class Station:
    """The real graph, whose conditions are evaluated once a minute."""

    def __init__(self, instance):
        self.instance, self.cursor, self.now = instance, None, datetime(2026, 3, 4, 1, tzinfo=UTC)

    def requested(self, after=timedelta(minutes=1)):
        """Return the shards that are requested now, by asset."""
        self.now += after
        result = dg.evaluate_automation_conditions(
            DEFS,
            self.instance,
            asset_selection=dg.AssetSelection.assets(METADATA, FLOWSHEET),
            cursor=self.cursor,
            evaluation_time=self.now,
        )
        self.cursor = result.cursor
        requested = {
            key: {int(shard) for shard in result.get_requested_partitions(dg.AssetKey(key)) if shard is not None}
            for key in (METADATA, FLOWSHEET)
        }
        return {key: shards for key, shards in requested.items() if shards}

    def at(self, hour, minute):
        """Return the shards that are requested at the next such time of day."""
        then = self.now.replace(hour=hour, minute=minute)
        return self.requested((then if then > self.now else then + timedelta(days=1)) - self.now)

    def begin(self, asset, *shards):
        return Run(self.instance, asset, shards)

    def do(self, asset, *shards):
        """Report a whole run, between two evaluations."""
        self.begin(asset, *shards).credit(*shards).end()


DEFS = build_defs()
GRAPH = DEFS.resolve_asset_graph()


@pytest.fixture
def station():
    with dg.DagsterInstance.ephemeral() as instance:
        station = Station(instance)
        assert station.requested() == {}
        yield station


def test_shard_follows_its_upstream_shard_once(station):
    station.do(IDENTITY, 3, 4, 5)
    assert [station.requested(), station.requested()] == [{METADATA: {3, 4, 5}}, {}]
    station.do(METADATA, 3, 4, 5)
    assert [station.requested(), station.requested()] == [{FLOWSHEET: {3, 4, 5}}, {}]
    station.do(FLOWSHEET, 3, 4, 5)
    assert [station.requested() for _ in range(3)] == [{}, {}, {}]


def test_observed_sources_request_nothing(station):
    for source in ("flowsheet", "library"):
        station.instance.report_runless_asset_event(dg.AssetObservation(source))
        station.instance.report_runless_asset_event(dg.AssetMaterialization(source))
    assert station.requested() == {}


def test_switching_on_requests_nothing_for_earlier_runs():
    with dg.DagsterInstance.ephemeral() as instance:
        station = Station(instance)
        station.do(IDENTITY, *EVERY_SHARD)
        assert [station.requested(), station.requested()] == [{}, {}]


def test_every_shard_of_both_is_requested_once_a_day(station):
    assert station.at(9, 29) == {}
    assert [station.at(9, 31), station.at(9, 32)] == [{METADATA: EVERY_SHARD}, {}]
    assert [station.at(10, 31), station.at(10, 32)] == [{FLOWSHEET: EVERY_SHARD}, {}]
    assert station.at(9, 29) == {}
    assert [station.at(9, 31), station.at(9, 32)] == [{METADATA: EVERY_SHARD}, {}]


def test_missed_days_are_made_up_once(station):
    assert station.requested(timedelta(days=3, hours=20)) == {METADATA: EVERY_SHARD}
    assert [station.requested(), station.requested()] == [{FLOWSHEET: EVERY_SHARD}, {}]


@pytest.mark.parametrize("credited", [set(), {4}], ids=["nothing done", "a part done"])
def test_failed_shard_waits_for_its_upstream_or_the_next_day(station, credited):
    """A failed shard is not repeated at once, for hours, with the same result."""
    station.do(IDENTITY, 4, 5)
    assert station.requested() == {METADATA: {4, 5}}
    station.begin(METADATA, 4, 5).credit(*credited).end(FAILED)
    follow = {FLOWSHEET: credited} if credited else {}
    assert [station.requested() for _ in range(5)] == [follow, {}, {}, {}, {}]
    station.do(IDENTITY, 5)
    assert [station.requested(), station.requested()] == [{METADATA: {5}}, {}]
    station.begin(METADATA, 5).end(FAILED)
    assert station.requested() == {}
    assert station.at(9, 31) == {METADATA: EVERY_SHARD}


def test_manual_run_is_not_repeated(station):
    station.do(IDENTITY, 3)
    station.do(METADATA, 3)
    station.do(FLOWSHEET, 3)
    assert [station.requested(), station.requested()] == [{}, {}]


def test_running_upstream_is_followed_by_one_run_at_its_end(station):
    """library_identity takes minutes: one run follows all of its shards."""
    run = station.begin(IDENTITY, 0, 1, 2).credit(0)
    assert station.requested() == {}
    run.credit(1, 2)
    assert station.requested() == {}
    run.end()
    assert [station.requested(), station.requested()] == [{METADATA: {0, 1, 2}}, {}]


def test_credited_shards_of_a_failed_run_are_followed(station):
    run = station.begin(IDENTITY, 0, 1, 2).credit(0, 2)
    assert station.requested() == {}
    run.end(FAILED)
    assert station.requested() == {METADATA: {0, 2}}


def test_album_metadata_is_followed_shard_by_shard(station):
    """A run of it takes hours."""
    run = station.begin(METADATA, 0, 1, 2).credit(0)
    assert station.requested() == {FLOWSHEET: {0}}
    station.do(FLOWSHEET, 0)
    run.credit(1)
    assert station.requested() == {FLOWSHEET: {1}}


@pytest.mark.parametrize(("upstream", "asset"), [(IDENTITY, METADATA), (METADATA, FLOWSHEET)])
def test_running_asset_is_requested_after_its_run_ends(station, upstream, asset):
    """A credited shard stays locked until its run ends, so a request before that would be refused."""
    run = station.begin(asset, 3, 4, 5).credit(3)
    station.requested()
    station.do(upstream, 3, 4, 7)
    assert asset not in station.requested()  # 3 is credited, but locked until the run ends
    run.credit(4, 5)
    assert asset not in station.requested()
    run.end()
    assert station.requested()[asset] == {3, 4, 7}
    station.do(asset, 3, 4, 7)
    assert asset not in station.requested()


def test_a_run_that_outlives_a_later_one_keeps_its_shards(station):
    longer = station.begin(METADATA, 3, 4)
    station.do(METADATA, 9)
    station.do(IDENTITY, 3, 10)
    assert station.requested() == {METADATA: {10}, FLOWSHEET: {9}}
    longer.end(FAILED)
    assert station.requested() == {METADATA: {3}}


def test_daily_request_waits_for_the_end_of_a_long_run(station):
    run = station.begin(METADATA, *EVERY_SHARD).credit(0, 1)
    station.requested()
    assert METADATA not in station.at(9, 31)
    run.credit(2, 3)
    assert METADATA not in station.at(10, 31)
    run.end(FAILED)
    # 2 and 3 were done since the day began.
    assert station.requested() == {METADATA: EVERY_SHARD - {2, 3}}


def test_both_assets_are_not_requested_for_one_shard_at_once(station):
    """Dagster would put both into one run, which takes only the first."""
    station.do(IDENTITY, 3)
    station.do(METADATA, 5)
    assert station.requested() == {METADATA: {3}, FLOWSHEET: {5}}
    run = station.begin(METADATA, 3)
    station.requested()
    station.do(IDENTITY, 3)
    station.requested()
    run.credit(3).end()
    assert station.requested() == {METADATA: {3}}
    assert station.requested() == {FLOWSHEET: {3}}


def test_condition_labels_name_what_they_wait_for():
    conditions = {key: GRAPH.get(dg.AssetKey(key)).automation_condition for key in (METADATA, FLOWSHEET)}
    assert {key: condition.get_label() for key, condition in conditions.items() if condition} == {
        METADATA: "after its shard of library_identity, and daily",
        FLOWSHEET: "after its shard of album_metadata, and daily",
    }
