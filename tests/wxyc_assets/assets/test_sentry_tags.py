"""Every event that a run of any asset sends to Sentry carries the tags by which dashboards find it."""

from contextlib import closing
from datetime import UTC, datetime

import psycopg
import pytest

from resources.lml import endpoints
from resources.postgres import Postgres
from tests.arbitrary_lml import serving
from tests.materializer import AssetRuns
from tests.run_harness import StationRuns
from tests.sentry_watch import watched_sentry
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.database.migrate import migrate
from wxyc_assets.definitions import build_defs
from wxyc_assets.orchestration.partitions import add_day
from wxyc_assets.sandbox import station as sandbox_station
from wxyc_assets.settings import LmlSettings

PATHS = {
    "library_identity": endpoints.RESOLVE_LIBRARIES.path,
    "album_metadata": endpoints.BULK_LOOKUP.path,
    "rotation_identity": endpoints.RESOLVE_IDENTITY.path,
    "rotation_cache": endpoints.REFRESH.path,
}


@pytest.fixture
def sample(database):
    """The sample station, where every other release in rotation has an identity."""
    with psycopg.connect(database, autocommit=True) as connection:
        sandbox_station.create(connection, sample=True)
        connection.execute("UPDATE wxyc_schema.rotation SET lml_identity_id = id WHERE id % 2 = 0")
    migrate(Postgres(database))
    return Postgres(database)


def test_every_asset_that_asks_lml_is_tried():
    assert set(PATHS) == {info.name for info in BY_NAME.values() if info.asks_lml}


@pytest.mark.parametrize("asset", PATHS)
def test_the_events_of_a_run_carry_repo_tool_and_run_id(asset, sample, instance):
    sentry, collector = watched_sentry()
    info, runs = BY_NAME[asset], AssetRuns(instance, asset)
    keys = {"shards": {"partition_key": "0"}, "today": {"partition_key": today(instance)}}.get(info.partitions, {})
    with (
        closing(sentry),
        serving(refuse_to_work, path=PATHS[asset]) as server,
        StationRuns(sample, sentry).lml(server.url, attempts=1) as lml,
    ):
        defs = build_defs(
            postgres=sample,
            lml=lml,
            sentry=sentry,
            console=runs.console,
            lml_settings=LmlSettings.model_validate({"LOCAL_DEV": "1", "LML_DISCOGS_BUDGET_PER_MIN": "1000000"}),
        )
        run = defs.resolve_job_def(info.job).execute_in_process(instance=instance, raise_on_error=False, **keys)
    assert collector.events
    tags = {(event["tags"]["repo"], event["tags"]["tool"], event["tags"]["run_id"]) for event in collector.events}
    assert tags == {("wxyc_assets", info.tool, run.run_id)}


def refuse_to_work(asked):
    """Answer the deploy gate's probe, which asks about nothing, and fail at everything else."""
    return (500, {}) if asked.get("identity_ids") != [] else {"results": []}


def today(instance):
    day = datetime.now(UTC).date().isoformat()
    add_day(instance, day)
    return day
