"""What is asked for without a person, evaluated on the real graph; the daemon itself is in tests/sensors/test_automation.py."""

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
from wxyc_assets.partitions import SHARD_COUNT

EVERY_SHARD = set(range(SHARD_COUNT))
IDENTITY, METADATA, FLOWSHEET = "library_identity", "album_metadata", "flowsheet_enrichment"
SUCCEEDED, FAILED = DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE


class Run:
    """A run of one asset over some shards, as far as Dagster is told of it."""

    def __init__(self, instance, asset, shards):
        self._instance, self._key = instance, dg.AssetKey(asset)
        self._run = create_run_for_test(instance, job_name="job", status=dg.DagsterRunStatus.STARTED)
        for shard in shards:
            planned = AssetMaterializationPlannedData(self._key, partition=str(shard))
            self._report(DagsterEventType.ASSET_MATERIALIZATION_PLANNED, planned)
        for check in GRAPH.get(self._key).check_keys:
            planned = AssetCheckEvaluationPlanned(asset_key=self._key, check_name=check.name)
            self._report(DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED, planned)

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
    """The real graph, looked at once a minute."""

    def __init__(self, instance):
        self.instance, self.cursor, self.now = instance, None, datetime(2026, 3, 4, 1, tzinfo=UTC)

    def asked(self, after=timedelta(minutes=1)):
        """The shards that are asked for now, by asset."""
        self.now += after
        result = dg.evaluate_automation_conditions(
            DEFS,
            self.instance,
            asset_selection=dg.AssetSelection.assets(METADATA, FLOWSHEET),
            cursor=self.cursor,
            evaluation_time=self.now,
        )
        self.cursor = result.cursor
        asked = {
            key: {int(k) for k in result.get_requested_partitions(dg.AssetKey(key))} for key in (METADATA, FLOWSHEET)
        }
        return {key: shards for key, shards in asked.items() if shards}

    def at(self, hour, minute):
        """The shards that are asked for at the next such time."""
        then = self.now.replace(hour=hour, minute=minute)
        return self.asked((then if then > self.now else then + timedelta(days=1)) - self.now)

    def begin(self, asset, *shards):
        return Run(self.instance, asset, shards)

    def do(self, asset, *shards):
        """A whole run, between two looks."""
        self.begin(asset, *shards).credit(*shards).end()


DEFS = build_defs()
GRAPH = DEFS.resolve_asset_graph()


@pytest.fixture
def station():
    with dg.DagsterInstance.ephemeral() as instance:
        station = Station(instance)
        assert station.asked() == {}
        yield station


def test_a_shard_follows_its_own_shard_of_what_it_follows_once(station):
    station.do(IDENTITY, 3, 4, 5)
    assert [station.asked(), station.asked()] == [{METADATA: {3, 4, 5}}, {}]
    station.do(METADATA, 3, 4, 5)
    assert [station.asked(), station.asked()] == [{FLOWSHEET: {3, 4, 5}}, {}]
    station.do(FLOWSHEET, 3, 4, 5)
    assert [station.asked() for _ in range(3)] == [{}, {}, {}]


def test_plays_and_new_albums_ask_for_nothing(station):
    for source in ("flowsheet", "library"):
        station.instance.report_runless_asset_event(dg.AssetObservation(source))
        station.instance.report_runless_asset_event(dg.AssetMaterialization(source))
    assert station.asked() == {}


def test_switching_it_on_asks_for_nothing_of_what_was_done_before():
    with dg.DagsterInstance.ephemeral() as instance:
        station = Station(instance)
        station.do(IDENTITY, *EVERY_SHARD)
        assert [station.asked(), station.asked()] == [{}, {}]


def test_every_shard_of_both_is_asked_for_once_a_day(station):
    assert station.at(9, 29) == {}
    assert [station.at(9, 31), station.at(9, 32)] == [{METADATA: EVERY_SHARD}, {}]
    assert [station.at(10, 31), station.at(10, 32)] == [{FLOWSHEET: EVERY_SHARD}, {}]
    assert station.at(9, 29) == {}
    assert [station.at(9, 31), station.at(9, 32)] == [{METADATA: EVERY_SHARD}, {}]


def test_days_that_nobody_looked_are_made_up_for_once(station):
    assert station.asked(timedelta(days=3, hours=20)) == {METADATA: EVERY_SHARD}
    assert [station.asked(), station.asked()] == [{FLOWSHEET: EVERY_SHARD}, {}]


@pytest.mark.parametrize("credited", [set(), {4}], ids=["nothing done", "a part done"])
def test_what_failed_is_not_repeated_before_what_it_follows_is_done_again_or_a_day_began(station, credited):
    station.do(IDENTITY, 4, 5)
    assert station.asked() == {METADATA: {4, 5}}
    station.begin(METADATA, 4, 5).credit(*credited).end(FAILED)
    follow = {FLOWSHEET: credited} if credited else {}
    assert [station.asked() for _ in range(5)] == [follow, {}, {}, {}, {}]
    station.do(IDENTITY, 5)
    assert [station.asked(), station.asked()] == [{METADATA: {5}}, {}]
    station.begin(METADATA, 5).end(FAILED)
    assert station.asked() == {}
    assert station.at(9, 31) == {METADATA: EVERY_SHARD}


def test_what_a_person_did_just_then_is_not_done_again(station):
    station.do(IDENTITY, 3)
    station.do(METADATA, 3)
    station.do(FLOWSHEET, 3)
    assert [station.asked(), station.asked()] == [{}, {}]


def test_a_run_of_library_identity_is_waited_for_so_that_one_run_follows_it(station):
    run = station.begin(IDENTITY, 0, 1, 2).credit(0)
    assert station.asked() == {}
    run.credit(1, 2)
    assert station.asked() == {}
    run.end()
    assert [station.asked(), station.asked()] == [{METADATA: {0, 1, 2}}, {}]


def test_shards_that_were_done_are_followed_also_when_their_run_fails(station):
    run = station.begin(IDENTITY, 0, 1, 2).credit(0, 2)
    assert station.asked() == {}
    run.end(FAILED)
    assert station.asked() == {METADATA: {0, 2}}


def test_a_run_of_album_metadata_takes_hours_and_is_followed_shard_by_shard(station):
    run = station.begin(METADATA, 0, 1, 2).credit(0)
    assert station.asked() == {FLOWSHEET: {0}}
    station.do(FLOWSHEET, 0)
    run.credit(1)
    assert station.asked() == {FLOWSHEET: {1}}


@pytest.mark.parametrize(("upstream", "asset"), [(IDENTITY, METADATA), (METADATA, FLOWSHEET)])
def test_nothing_is_asked_for_while_a_run_is_at_work_and_nothing_of_it_is_forgotten(station, upstream, asset):
    run = station.begin(asset, 3, 4, 5).credit(3)
    station.asked()
    station.do(upstream, 3, 4, 7)
    assert asset not in station.asked()  # 3 is credited, but locked until the run ends
    run.credit(4, 5)
    assert asset not in station.asked()
    run.end()
    assert station.asked()[asset] == {3, 4, 7}
    station.do(asset, 3, 4, 7)
    assert asset not in station.asked()


def test_a_run_that_outlives_a_later_one_keeps_its_shards(station):
    longer = station.begin(METADATA, 3, 4)
    station.do(METADATA, 9)
    station.do(IDENTITY, 3, 10)
    assert station.asked() == {METADATA: {10}, FLOWSHEET: {9}}
    longer.end(FAILED)
    assert station.asked() == {METADATA: {3}}


def test_the_day_begins_for_a_run_over_night_when_it_has_ended(station):
    run = station.begin(METADATA, *EVERY_SHARD).credit(0, 1)
    station.asked()
    assert METADATA not in station.at(9, 31)
    run.credit(2, 3)
    assert METADATA not in station.at(10, 31)
    run.end(FAILED)
    # 2 and 3 were done since the day began.
    assert station.asked() == {METADATA: EVERY_SHARD - {2, 3}}


def test_the_two_are_never_asked_for_in_one_run_in_which_the_second_would_be_left_out(station):
    station.do(IDENTITY, 3)
    station.do(METADATA, 5)
    assert station.asked() == {METADATA: {3}, FLOWSHEET: {5}}
    run = station.begin(METADATA, 3)
    station.asked()
    station.do(IDENTITY, 3)
    station.asked()
    run.credit(3).end()
    assert station.asked() == {METADATA: {3}}
    assert station.asked() == {FLOWSHEET: {3}}


def test_each_says_what_it_waits_for():
    labels = {key: GRAPH.get(dg.AssetKey(key)).automation_condition.get_label() for key in (METADATA, FLOWSHEET)}
    assert labels == {
        METADATA: "after its shard of library_identity, and daily",
        FLOWSHEET: "after its shard of album_metadata, and daily",
    }
