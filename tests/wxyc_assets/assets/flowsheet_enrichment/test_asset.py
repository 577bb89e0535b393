"""The asset through Dagster itself: what its pages show, what it credits, what fails a run, what asks for it."""

from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
import psycopg
import pytest
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent, DagsterEventType
from dagster._core.test_utils import create_run_for_test

from tests.asset_runs import AssetRuns
from tests.wxyc_assets.flowsheet_enrichment.passes import add_play, tally_metadata
from wxyc_assets import single_flight
from wxyc_assets.flowsheet_enrichment import asset as asset_module
from wxyc_assets.flowsheet_enrichment.asset import flowsheet_enrichment
from wxyc_assets.flowsheet_enrichment.run import Tools
from wxyc_assets.partitions_dagster import SHARDS
from wxyc_assets.settings import FlowsheetSettings, SettingsError, load

pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")

KEY = dg.AssetKey("flowsheet_enrichment")
CHECKS_OF_PLAYS = {"accounting_holds", "metadata_trusted"}
CHECKS_OF_STORAGE = {"writer_errors_zero", "waiting_left_zero"}


@pytest.fixture
def dagster(played, monkeypatch):
    """Runs the asset over shards 0 to 3 on an ephemeral instance; returns what Dagster then knows of it."""
    monkeypatch.setattr(asset_module, "Tools", partial(Tools, sleep=played._sleep, unit_wait_s=0.2))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Dagster(instance, played)


class Dagster(AssetRuns):
    def __init__(self, instance, passes):
        super().__init__(instance, "flowsheet_enrichment")
        self.passes = passes

    def run(self, *, first="0", last="3", tags=None, settings=None, **config):
        defs = dg.Definitions(
            assets=[flowsheet_enrichment],
            resources={
                "postgres": self.passes.postgres,
                "operator": self.operator,
                "flowsheet_settings": settings or FlowsheetSettings(),
            },
            executor=dg.in_process_executor,
        )
        return self.materialize(defs, first, last, tags, config)


def test_each_shard_is_credited_once_with_its_own_numbers_and_all_checks_are_evaluated(dagster):
    run = dagster.run()
    assert run.success
    credited, events = dagster.credited
    assert (set(credited), events) == ({"0", "1", "2", "3"}, 4)
    numbers = {name: value for name, value in credited["2"].items() if name != "outcome"}
    assert (numbers["flipped"], numbers["scanned"], numbers["paused_ms"]) == (30, 30, 0)
    assert {type(value) for value in numbers.values()} == {int}
    assert "30 | marked as enriched" in credited["2"]["outcome"]
    checks = dagster.checks(run)
    assert set(checks) == CHECKS_OF_PLAYS | CHECKS_OF_STORAGE
    assert all(passed for passed, _ in checks.values())
    assert dagster.summary(run).totals["flipped"] == 120


def test_a_dry_run_credits_nothing_and_evaluates_only_the_checks_of_what_it_read(dagster):
    run = dagster.run(dry_run=True)
    assert run.success
    assert dagster.credited == ({}, 0)
    assert set(dagster.checks(run)) == CHECKS_OF_PLAYS
    assert dagster.summary(run).totals["flipped"] == 120
    assert len(dagster.passes.waiting()) == 480
    assert dagster.rehearsed(run)["flipped"] == 120


def test_a_pause_is_seen_on_the_page_of_the_run_and_in_the_numbers_of_its_shards(dagster):
    with dagster.passes.postgres.connect() as connection:
        add_play(connection, 5000, None, metadata_status="enriched_match", age="1 second")
    dagster.passes.on_sleep = lambda _seconds: dagster.passes.execute("DELETE FROM flowsheet WHERE id = 5000")
    run = dagster.run()
    assert run.success
    assert dagster.passes.slept == [30.0]
    assert any("a DJ is live: waiting 30 s" in text for text in dagster.said(run))
    credited, _ = dagster.credited
    assert {metadata["run_paused_ms"] for metadata in credited.values()} == {30_000}
    assert sum(metadata["paused_ms"] for metadata in credited.values()) == 30_000


def test_the_lookback_of_the_settings_reaches_the_pass(dagster):
    with dagster.passes.postgres.connect() as connection:
        add_play(connection, 5000, None, metadata_status="enriched_match", age="20 minutes")
    dagster.passes.on_sleep = lambda _seconds: dagster.passes.execute("DELETE FROM flowsheet WHERE id = 5000")
    dagster.run(last="0")
    assert dagster.passes.slept == []
    settings = FlowsheetSettings.model_validate({"LIVE_ACTIVITY_LOOKBACK_SECONDS": "3600"})
    dagster.run(first="1", last="1", settings=settings)
    assert dagster.passes.slept == [30.0]


def test_a_distrusted_shard_fails_the_run_by_name_and_the_others_are_credited(dagster):
    tally_metadata(dagster.passes.postgres, 1, 2, age="1 minute")
    run = dagster.run()
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "2", "3"}
    assert dagster.checks(run)["metadata_trusted"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "failed"
    (failure,) = run.get_step_failure_events()
    assert "shard 1: its latest album_metadata run" in failure.step_failure_data.user_failure_data.description


def test_a_locked_shard_fails_the_run_by_name_and_the_others_are_credited(dagster):
    with single_flight.run_locks(dagster.passes.postgres, "other") as locks:
        locks.take([single_flight.unit("flowsheet_enrichment", 1)])
        run = dagster.run()
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "2", "3"}
    assert "run other" in dagster.summary(run).reason


def test_a_failed_check_that_does_not_block_leaves_the_run_green(dagster):
    with dagster.passes.postgres.connect() as holder, holder.transaction():
        holder.execute("SELECT FROM flowsheet WHERE id = 17 FOR UPDATE")
        run = dagster.run()
    assert run.success
    assert dagster.checks(run)["waiting_left_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


def test_a_run_that_could_not_look_at_what_it_left_fails_and_keeps_its_credits(dagster, monkeypatch):
    def gone(*_args, **_kwargs):
        raise psycopg.OperationalError("the server went away")

    monkeypatch.setattr("wxyc_assets.flowsheet_enrichment.store.count_waiting", gone)
    run = dagster.run()
    assert not run.success
    assert dagster.credited[1] == 4
    assert "the server went away" in dagster.summary(run).reason


@pytest.mark.parametrize(
    ("tags", "origin"), [({}, "explicit"), ({"dagster/from_automation_condition": "true"}, "routine")], ids=str
)
def test_who_is_behind_a_run_is_on_record(dagster, tags, origin):
    run = dagster.run(last="0", tags=tags)
    assert dagster.passes.rows("SELECT run_id, origin, verdict FROM wxyc_assets.run") == [(run.run_id, origin, "done")]


def test_the_asset_is_described_to_those_who_look_at_it():
    spec = flowsheet_enrichment.specs_by_key[KEY]
    assert spec.owners
    assert spec.kinds
    assert spec.group_name
    assert "row" in spec.description
    assert spec.metadata["dagster/table_name"]
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"album_metadata", "flowsheet"}
    policy = spec.freshness_policy
    assert policy.warn_window.to_timedelta() < policy.fail_window.to_timedelta()
    assert flowsheet_enrichment.partitions_def == SHARDS
    assert flowsheet_enrichment.backfill_policy == dg.BackfillPolicy.single_run()


class Automation:
    """Evaluates the asset's condition as the daemon would, at an hour that the test says."""

    def __init__(self, instance):
        metadata = dg.AssetSpec("album_metadata", partitions_def=SHARDS)
        nothing = dict.fromkeys(("postgres", "operator", "flowsheet_settings"), object())
        self.defs = dg.Definitions([metadata, dg.AssetSpec("flowsheet"), flowsheet_enrichment], resources=nothing)
        self.instance, self.cursor, self.now = instance, None, datetime(2026, 3, 4, 1, tzinfo=UTC)

    def asked(self, *, after=timedelta(minutes=1)):
        """The shards that are asked for now, that much later than the last time."""
        self.now += after
        result = dg.evaluate_automation_conditions(
            defs=self.defs, instance=self.instance, cursor=self.cursor, evaluation_time=self.now
        )
        self.cursor = result.cursor
        return {int(key) for key in result.get_requested_partitions(KEY)}

    def begin(self, shard):
        """A run that works on the shard, and returns its id."""
        tags = {"dagster/partition": str(shard)}
        run = create_run_for_test(self.instance, job_name="job", status=dg.DagsterRunStatus.STARTED, tags=tags)
        planned = AssetMaterializationPlannedData(KEY, partition=str(shard))
        self.instance.report_dagster_event(
            DagsterEvent(DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value, "job", event_specific_data=planned),
            run.run_id,
        )
        return run

    def happened(self, asset, shard=None):
        partition = None if shard is None else str(shard)
        self.instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=partition))


@pytest.fixture
def automation():
    with dg.DagsterInstance.ephemeral() as instance:
        automation = Automation(instance)
        automation.asked()
        yield automation


def test_a_shard_is_asked_for_when_its_album_metadata_has_been_done_and_only_once(automation):
    assert automation.asked() == set()
    automation.happened("album_metadata", 3)
    automation.happened("album_metadata", 7)
    assert automation.asked() == {3, 7}
    assert automation.asked() == set()


def test_album_metadata_that_is_done_while_a_pass_is_at_work_is_not_forgotten(automation):
    run = automation.begin(3)
    automation.happened("album_metadata", 3)
    assert automation.asked() == set()
    automation.instance.report_run_failed(run)
    assert automation.asked() == {3}


def test_a_track_that_is_played_asks_for_nothing(automation):
    automation.happened("flowsheet")
    assert automation.asked() == set()


def test_every_shard_is_asked_for_once_a_day(automation):
    automation.happened("album_metadata", 3)
    automation.asked()
    assert automation.asked(after=timedelta(hours=4)) == set()
    assert automation.asked(after=timedelta(hours=6)) == set(range(16))
    assert automation.asked(after=timedelta(hours=12)) == set()
    assert automation.asked(after=timedelta(hours=12)) == set(range(16))


@pytest.mark.parametrize(("text", "seconds"), [("", 300), ("0", 0), ("60", 60)])
def test_the_lookback_is_read_from_the_environment(text, seconds):
    loaded = load(FlowsheetSettings, {"LIVE_ACTIVITY_LOOKBACK_SECONDS": text})
    assert loaded.live_activity_lookback_s == seconds


@pytest.mark.parametrize("text", ["-1", "5m", "1.5", str(2**31)])
def test_a_lookback_that_is_no_number_of_seconds_is_refused_by_its_name(text):
    with pytest.raises(SettingsError, match="LIVE_ACTIVITY_LOOKBACK_SECONDS"):
        load(FlowsheetSettings, {"LIVE_ACTIVITY_LOOKBACK_SECONDS": text})
