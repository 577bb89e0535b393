"""The asset through Dagster: its materializations and checks, failed runs, and its automation condition."""

from datetime import UTC, datetime, timedelta
from functools import partial

import dagster as dg
import psycopg
import pytest
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent, DagsterEventType
from dagster._core.test_utils import create_run_for_test

from tests.materializer import AssetRuns
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import add_play, tally_metadata
from wxyc_assets.assets.flowsheet_enrichment import asset as asset_module
from wxyc_assets.assets.flowsheet_enrichment.asset import flowsheet_enrichment
from wxyc_assets.assets.flowsheet_enrichment.run import Tools
from wxyc_assets.orchestration.partitions import SHARDS
from wxyc_assets.runs import advisory_locks
from wxyc_assets.settings import FlowsheetSettings, SettingsError, load

pytestmark = pytest.mark.filterwarnings("ignore::dagster_shared.utils.warnings.BetaWarning")

KEY = dg.AssetKey("flowsheet_enrichment")
CHECKS_OF_PLAYS = {"accounting_holds", "metadata_trusted"}
CHECKS_OF_STORAGE = {"writer_errors_zero", "waiting_left_zero", "marked_plays_have_metadata"}


@pytest.fixture
def dagster(flowsheet, monkeypatch):
    """Runs of the asset over shards 0 to 3 on an ephemeral instance."""
    monkeypatch.setattr(asset_module, "Tools", partial(Tools, sleep=flowsheet.sleep, unit_wait_s=0.2))
    with dg.DagsterInstance.ephemeral() as instance:
        yield Dagster(instance, flowsheet)


class Dagster(AssetRuns):
    def __init__(self, instance, flowsheet):
        super().__init__(instance, "flowsheet_enrichment")
        self.flowsheet = flowsheet

    def run(self, *, first="0", last="3", tags=None, settings=None, **config):
        defs = dg.Definitions(
            assets=[flowsheet_enrichment],
            resources={
                "postgres": self.flowsheet.postgres,
                "console": self.console,
                "flowsheet_settings": settings or FlowsheetSettings(),
            },
            executor=dg.in_process_executor,
        )
        return self.materialize(defs, first, last, tags, config)


def test_each_shard_is_credited_once_and_all_checks_evaluated(dagster):
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


def test_dry_run_touches_no_partition_and_no_check(dagster):
    run = dagster.run(dry_run=True)
    assert run.success
    assert dagster.credited == ({}, 0)
    assert (dagster.touched(run), dagster.found(run)) == ([], CHECKS_OF_PLAYS)
    assert dagster.summary(run).totals["flipped"] == 120
    assert len(dagster.flowsheet.waiting()) == 480
    assert dagster.dry_run_event(run)["flipped"] == 120


def test_run_page_and_materializations_show_a_pause(dagster):
    with dagster.flowsheet.postgres.connect() as connection:
        add_play(connection, 5000, None, metadata_status="enriched_match", age="1 second")
    dagster.flowsheet.on_sleep = lambda _seconds: dagster.flowsheet.remove_live_track()
    run = dagster.run()
    assert run.success
    assert dagster.flowsheet.slept == [30.0]
    assert any("a DJ is live: waiting 30 s" in text for text in dagster.said(run))
    credited, _ = dagster.credited
    assert {metadata["run_paused_ms"] for metadata in credited.values()} == {30_000}
    assert sum(metadata["paused_ms"] for metadata in credited.values()) == 30_000


def test_lookback_of_the_settings_reaches_the_run(dagster):
    with dagster.flowsheet.postgres.connect() as connection:
        add_play(connection, 5000, None, metadata_status="enriched_match", age="20 minutes")
    dagster.flowsheet.on_sleep = lambda _seconds: dagster.flowsheet.remove_live_track()
    dagster.run(last="0")
    assert dagster.flowsheet.slept == []
    settings = FlowsheetSettings.model_validate({"LIVE_ACTIVITY_LOOKBACK_SECONDS": "3600"})
    dagster.run(first="1", last="1", settings=settings)
    assert dagster.flowsheet.slept == [30.0]


def test_shard_with_untrusted_metadata_fails_the_run_by_name(dagster):
    """The other shards are credited."""
    tally_metadata(dagster.flowsheet.postgres, 1, 2, age="1 minute")
    run = dagster.run()
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "2", "3"}
    assert dagster.checks(run)["metadata_trusted"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "failed"
    (failure,) = run.get_step_failure_events()
    assert "shard 1: its latest album_metadata run" in failure.step_failure_data.user_failure_data.description


def test_locked_shard_fails_the_run_with_the_holders_name(dagster):
    """The other shards are credited."""
    with advisory_locks.run_locks(dagster.flowsheet.postgres, "other") as locks:
        locks.take([advisory_locks.unit("flowsheet_enrichment", 1)])
        run = dagster.run()
    assert not run.success
    assert set(dagster.credited[0]) == {"0", "2", "3"}
    assert "run other" in dagster.summary(run).reason


def test_failed_check_that_does_not_block_leaves_the_run_green(dagster):
    with dagster.flowsheet.postgres.connect() as holder, holder.transaction():
        holder.execute("SELECT FROM flowsheet WHERE id = 17 FOR UPDATE")
        run = dagster.run()
    assert run.success
    assert dagster.checks(run)["waiting_left_zero"] == (False, "ERROR")
    assert dagster.summary(run).verdict == "anomaly"


def test_run_that_cannot_evaluate_its_checks_keeps_its_credits(dagster, monkeypatch):
    def gone(*_args, **_kwargs):
        raise psycopg.OperationalError("the server went away")

    monkeypatch.setattr("wxyc_assets.assets.flowsheet_enrichment.store.count_waiting", gone)
    run = dagster.run()
    assert not run.success
    assert dagster.credited[1] == 4
    assert "the server went away" in dagster.summary(run).reason


@pytest.mark.parametrize(
    ("tags", "origin"), [({}, "explicit"), ({"dagster/from_automation_condition": "true"}, "routine")], ids=str
)
def test_ledger_has_the_origin_of_a_run(dagster, tags, origin):
    run = dagster.run(last="0", tags=tags)
    assert dagster.flowsheet.rows("SELECT run_id, origin, verdict FROM wxyc_assets.run") == [
        (run.run_id, origin, "done")
    ]


def test_asset_has_its_metadata_for_the_ui():
    spec = flowsheet_enrichment.specs_by_key[KEY]
    assert spec.owners
    assert spec.kinds
    assert spec.group_name
    assert spec.description is not None
    assert "row" in spec.description
    assert spec.metadata["dagster/table_name"]
    assert {dep.asset_key.to_user_string() for dep in spec.deps} == {"album_metadata", "flowsheet"}
    assert flowsheet_enrichment.partitions_def == SHARDS
    assert flowsheet_enrichment.backfill_policy == dg.BackfillPolicy.single_run()


class AutomationTicks:
    """Evaluates the asset's automation condition as the daemon does, at times that the test chooses."""

    def __init__(self, instance):
        metadata = dg.AssetSpec("album_metadata", partitions_def=SHARDS)
        nothing = dict.fromkeys(("postgres", "console", "flowsheet_settings"), object())
        self.defs = dg.Definitions([metadata, dg.AssetSpec("flowsheet"), flowsheet_enrichment], resources=nothing)
        self.instance, self.cursor, self.now = instance, None, datetime(2026, 3, 4, 1, tzinfo=UTC)

    def requested(self, *, after=timedelta(minutes=1)):
        """The shards that the condition requests, evaluated that much later than the last time."""
        self.now += after
        result = dg.evaluate_automation_conditions(
            defs=self.defs, instance=self.instance, cursor=self.cursor, evaluation_time=self.now
        )
        self.cursor = result.cursor
        return {int(str(key)) for key in result.get_requested_partitions(KEY)}

    def start_run(self, shard):
        """Start a run of the asset over the shard, and return it."""
        tags = {"dagster/partition": str(shard)}
        run = create_run_for_test(self.instance, job_name="job", status=dg.DagsterRunStatus.STARTED, tags=tags)
        planned = AssetMaterializationPlannedData(KEY, partition=str(shard))
        self.instance.report_dagster_event(
            DagsterEvent(DagsterEventType.ASSET_MATERIALIZATION_PLANNED.value, "job", event_specific_data=planned),
            run.run_id,
        )
        return run

    def materialize(self, asset, shard=None):
        """Record a materialization of another asset."""
        partition = None if shard is None else str(shard)
        self.instance.report_runless_asset_event(dg.AssetMaterialization(asset, partition=partition))


@pytest.fixture
def automation():
    with dg.DagsterInstance.ephemeral() as instance:
        automation = AutomationTicks(instance)
        automation.requested()
        yield automation


def test_shard_is_requested_once_after_its_album_metadata(automation):
    assert automation.requested() == set()
    automation.materialize("album_metadata", 3)
    automation.materialize("album_metadata", 7)
    assert automation.requested() == {3, 7}
    assert automation.requested() == set()


def test_album_metadata_during_a_run_requests_the_shard_later(automation):
    run = automation.start_run(3)
    automation.materialize("album_metadata", 3)
    assert automation.requested() == set()
    automation.instance.report_run_failed(run)
    assert automation.requested() == {3}


def test_played_track_requests_no_shard(automation):
    automation.materialize("flowsheet")
    assert automation.requested() == set()


def test_every_shard_is_requested_once_a_day(automation):
    automation.materialize("album_metadata", 3)
    automation.requested()
    assert automation.requested(after=timedelta(hours=4)) == set()
    assert automation.requested(after=timedelta(hours=6)) == set(range(16))
    assert automation.requested(after=timedelta(hours=12)) == set()
    assert automation.requested(after=timedelta(hours=12)) == set(range(16))


@pytest.mark.parametrize(("text", "seconds"), [("", 300), ("0", 0), ("60", 60)])
def test_lookback_is_read_from_the_environment(text, seconds):
    loaded = load(FlowsheetSettings, {"LIVE_ACTIVITY_LOOKBACK_SECONDS": text})
    assert loaded.live_activity_lookback_s == seconds


@pytest.mark.parametrize("text", ["-1", "5m", "1.5", str(2**31)])
def test_invalid_lookback_is_refused_by_its_name(text):
    with pytest.raises(SettingsError, match="LIVE_ACTIVITY_LOOKBACK_SECONDS"):
        load(FlowsheetSettings, {"LIVE_ACTIVITY_LOOKBACK_SECONDS": text})
