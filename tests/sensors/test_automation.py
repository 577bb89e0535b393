"""The automation, through Dagster's own daemon in a process of its own, on PostgreSQL, with real runs."""

import os

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import TickStatus

from sensors.automation import automation
from tests.processes import processes_of
from tests.sensors.daemon_control import running_daemon, switch_on, wait_until_above, wait_until_equal
from wxyc_assets.cli.instance import STORAGE_VARIABLE, prepare_instance
from wxyc_assets.definitions import build_defs
from wxyc_assets.runs.partitions import range_tags
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml.server import SandboxLml

DEFS = build_defs()
GRAPH = DEFS.resolve_asset_graph()


def test_one_sensor_targets_every_asset_with_a_condition():
    with_condition = {key for key in GRAPH.get_all_asset_keys() if GRAPH.get(key).automation_condition}
    assert automation.asset_selection.resolve(GRAPH) == with_condition
    names = {sensor.name for sensor in DEFS.get_repository_def().sensor_defs}
    assert "automation" in names
    assert "default_automation_condition_sensor" not in names


def test_the_sensor_is_off_until_it_is_switched_on():
    assert automation.default_status is dg.DefaultSensorStatus.STOPPED


# The daemon


@pytest.fixture
def environ(station, server, tmp_path, monkeypatch):
    """The environment, of this process too, for a station with 160 albums without identity, 480 plays of them, and an LML."""
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
            # prepare_instance sets these; monkeypatch restores them.
            **dict.fromkeys(("DAGSTER_HOME", "DAGSTER_DISABLE_TELEMETRY", STORAGE_VARIABLE), ""),
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        prepare_instance()
        yield dict(os.environ)
    server.drop_database(dagster)


class DaemonRecords:
    """Dagster's records of what its daemon did."""

    def __init__(self, instance):
        self.instance = instance

    def ticks(self):
        """How many ticks the sensor had; none may fail."""
        states = [state for state in self.instance.all_instigator_state() if state.instigator_name == "automation"]
        ticks = [tick for one in states for tick in self.instance.get_ticks(one.instigator_origin_id, one.selector_id)]
        assert not [tick.error for tick in ticks if tick.status is TickStatus.FAILURE]
        return sum(tick.status in {TickStatus.SUCCESS, TickStatus.SKIPPED} for tick in ticks)

    def runs(self, asset):
        """The shards of each run of the asset, and whether it succeeded, in the order of creation."""
        records = self.instance.get_run_records(ascending=True)
        runs = [record.dagster_run for record in records if dg.AssetKey(asset) in record.dagster_run.asset_selection]
        return [(_shards(run.tags), run.is_success) for run in runs]

    def done(self, asset):
        """Every shard of every run of the asset that succeeded, once for each such run."""
        return sorted(shard for shards, succeeded in self.runs(asset) for shard in shards if succeeded)


def _shards(tags):
    first, last = (tags.get(tag, tags.get("dagster/partition")) for tag in range_tags("", ""))
    return list(range(int(first), int(last) + 1))


def _resolve_identities(instance, first, last):
    """Run library_identity as `wxyc run` does."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job, key = DEFS.resolve_implicit_global_asset_job_def(), dg.AssetKey("library_identity")
    tags = range_tags(first, last)
    assert job.execute_in_process(instance=instance, asset_selection=[key], tags=tags, run_config=quiet).success


@pytest.mark.timeout(900)  # a daemon and its runs must start, which takes long on a busy machine
def test_downstream_assets_follow_each_shard_once(environ, station, tmp_path):
    with dg.DagsterInstance.get() as instance, running_daemon(environ, tmp_path / "daemon.log") as session:
        records = DaemonRecords(instance)
        switch_on("automation", environ)
        wait_until_above(0, records.ticks)
        _resolve_identities(instance, "3", "5")
        wait_until_equal([3, 4, 5], lambda: records.done("flowsheet_enrichment"))
        ticks = records.ticks()
        wait_until_above(ticks + 3, records.ticks)
        assert records.runs("library_identity") == records.runs("album_metadata") == [([3, 4, 5], True)]
        # One run, or two if a tick fell between two shards of album_metadata.
        assert records.done("flowsheet_enrichment") == [3, 4, 5]
        assert all(succeeded for _, succeeded in records.runs("flowsheet_enrichment"))
    assert processes_of(session) == []

    with station.connect() as connection:
        run_lifecycle = connection.execute("SELECT DISTINCT asset, origin, verdict FROM wxyc_assets.run ORDER BY asset")
        assert run_lifecycle.fetchall() == [
            ("album_metadata", "routine", "done"),
            ("flowsheet_enrichment", "routine", "done"),
            ("library_identity", "explicit", "done"),
        ]
        marked = connection.execute(
            "SELECT DISTINCT album_id % 16 FROM flowsheet WHERE metadata_status = 'enriched_match' ORDER BY 1"
        )
        assert marked.fetchall() == [(3,), (4,), (5,)]
