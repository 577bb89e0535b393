"""What runs by itself, through Dagster's own daemon in a process of its own, on PostgreSQL, with real runs."""

import asyncio
import os

import dagster as dg
import pytest
from dagster._core.definitions import freshness_evaluator
from dagster._core.definitions.freshness_evaluator import FRESHNESS_EVALUATORS_BY_POLICY_TYPE
from dagster._core.loader import LoadingContextForTest
from dagster._core.scheduler.instigation import TickStatus

from sensors.automation import automation
from tests.sensors.daemons import comes_to, processes_of, running_daemon, switch_on
from wxyc_assets.cli.instance import STORAGE_VARIABLE, prepare_instance
from wxyc_assets.definitions import build_defs
from wxyc_assets.partitions import range_tags
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml.server import SandboxLml

DEFS = build_defs()
GRAPH = DEFS.resolve_asset_graph()


def test_every_asset_with_a_condition_is_in_the_hands_of_the_one_sensor():
    with_condition = {key for key in GRAPH.get_all_asset_keys() if GRAPH.get(key).automation_condition}
    assert automation.asset_selection.resolve(GRAPH) == with_condition
    names = {sensor.name for sensor in DEFS.get_repository_def().sensor_defs}
    assert "automation" in names
    assert "default_automation_condition_sensor" not in names


def test_it_rests_until_somebody_switches_it_on():
    assert automation.default_status is dg.DefaultSensorStatus.STOPPED


@pytest.mark.parametrize("asset", ["album_metadata", "flowsheet_enrichment"])
def test_what_runs_daily_is_called_late_two_hours_after_a_day_and_overdue_two_hours_after_two(asset, monkeypatch):
    key = dg.AssetKey(asset)
    with dg.DagsterInstance.ephemeral() as instance:
        instance.report_runless_asset_event(dg.AssetMaterialization(key, partition="3"))
        done_at = instance.get_latest_materialization_event(key).timestamp

        def state(hours):
            monkeypatch.setattr(freshness_evaluator, "get_current_timestamp", lambda: done_at + hours * 3600)
            node, context = GRAPH.get(key), LoadingContextForTest(instance)
            evaluator = FRESHNESS_EVALUATORS_BY_POLICY_TYPE[type(node.freshness_policy)]
            return asyncio.run(evaluator().evaluate_freshness(context, node)).name

        assert [state(hours) for hours in (25.9, 26.1, 49.9, 50.1)] == ["PASS", "WARN", "WARN", "FAIL"]


# The daemon


@pytest.fixture
def environ(station, server, tmp_path, monkeypatch):
    """The settings, here too, of a station with 160 albums that were never asked about, 480 plays of them, and an LML."""
    with station.connect() as connection:
        generate_libraries(connection, 160, first_id=1)
        generate_plays(connection, 480)
    dagster = server.create_database()
    with SandboxLml() as lml:
        settings = {
            "WXYC_HOME": str(tmp_path),
            "DATABASE_URL": station.dsn,
            "DAGSTER_DATABASE_URL": dagster,
            "LIBRARY_METADATA_URL": lml.url,
            "LML_API_KEY": "sandbox-key",
            "LML_DISCOGS_BUDGET_PER_MIN": "1000000",
            "PYTHONWARNINGS": "ignore",  # Dagster's about itself
            # What prepare_instance sets, so that it is taken back.
            **dict.fromkeys(("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", STORAGE_VARIABLE), ""),
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        prepare_instance()
        yield dict(os.environ)
    server.drop_database(dagster)


class Watched:
    """What Dagster has on record of its daemon's doings."""

    def __init__(self, instance):
        self.instance = instance

    def looks(self):
        """How often the sensor has looked; it may not fail."""
        states = [state for state in self.instance.all_instigator_state() if state.instigator_name == "automation"]
        ticks = [tick for one in states for tick in self.instance.get_ticks(one.instigator_origin_id, one.selector_id)]
        assert not [tick.error for tick in ticks if tick.status is TickStatus.FAILURE]
        return sum(tick.status in {TickStatus.SUCCESS, TickStatus.SKIPPED} for tick in ticks)

    def runs(self, asset):
        """The shards of each run of the asset, and whether it succeeded, in the order the runs were made."""
        records = self.instance.get_run_records(ascending=True)
        runs = [record.dagster_run for record in records if dg.AssetKey(asset) in record.dagster_run.asset_selection]
        return [(_shards(run.tags), run.is_success) for run in runs]

    def done(self, asset):
        """Every shard of every run of the asset that succeeded, as often as it was done."""
        return sorted(shard for shards, succeeded in self.runs(asset) for shard in shards if succeeded)


def _shards(tags):
    first, last = (tags.get(tag, tags.get("dagster/partition")) for tag in range_tags("", ""))
    return list(range(int(first), int(last) + 1))


def _resolve_identities(instance, first, last):
    """A run of library_identity as `wxyc run` makes it."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job, key = DEFS.resolve_implicit_global_asset_job_def(), dg.AssetKey("library_identity")
    tags = range_tags(first, last)
    assert job.execute_in_process(instance=instance, asset_selection=[key], tags=tags, run_config=quiet).success


def test_shards_of_library_identity_are_followed_once_and_then_it_settles(environ, station, tmp_path):
    with dg.DagsterInstance.get() as instance, running_daemon(environ, tmp_path / "daemon.log") as session:
        watched = Watched(instance)
        switch_on("automation", environ)
        comes_to(True, lambda: watched.looks() > 0)
        _resolve_identities(instance, "3", "5")
        comes_to([3, 4, 5], lambda: watched.done("flowsheet_enrichment"))
        looks = watched.looks()
        comes_to(True, lambda: watched.looks() > looks + 3)
        assert watched.runs("library_identity") == watched.runs("album_metadata") == [([3, 4, 5], True)]
        # One run, or two when the sensor looked just between two shards of album_metadata.
        assert watched.done("flowsheet_enrichment") == [3, 4, 5]
        assert all(succeeded for _, succeeded in watched.runs("flowsheet_enrichment"))
    assert processes_of(session) == []

    with station.connect() as connection:
        on_record = connection.execute("SELECT DISTINCT asset, origin, verdict FROM wxyc_assets.run ORDER BY asset")
        assert on_record.fetchall() == [
            ("album_metadata", "routine", "done"),
            ("flowsheet_enrichment", "routine", "done"),
            ("library_identity", "explicit", "done"),
        ]
        marked = connection.execute(
            "SELECT DISTINCT album_id % 16 FROM flowsheet WHERE metadata_status = 'enriched_match' ORDER BY 1"
        )
        assert marked.fetchall() == [(3,), (4,), (5,)]
