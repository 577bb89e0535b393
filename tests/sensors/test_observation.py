"""The schedule that observes what others own: everything that can be observed, and nothing else."""

from typing import Any

import dagster as dg
import pytest

from tests.wxyc_assets.assets.price_book.example_files import VALID
from wxyc_assets.definitions import build_defs
from wxyc_assets.settings import RatingSettings, load

SCHEDULE = "observe_station"


@pytest.fixture
def observe(station):
    """Runs what the schedule requests; returns whether it succeeded, and the metadata of each observation."""

    def run(price_file):
        defs = build_defs(
            postgres=station,
            billing_postgres=station,
            rating_settings=load(RatingSettings, {"PRICE_FILE": str(price_file)}),
        )
        job = defs.resolve_job_def(schedule(defs).job_name)
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        with dg.DagsterInstance.ephemeral() as instance:
            ended = job.execute_in_process(instance=instance, run_config=quiet, raise_on_error=False)
            seen: list[Any] = [
                event.asset_observation
                for key in defs.resolve_asset_graph().get_all_asset_keys()
                for event in instance.fetch_observations(key, limit=2).records
            ]
        return ended.success, {one.asset_key.to_user_string(): one.metadata for one in seen}

    return run


def schedule(defs):
    return defs.resolve_schedule_def(SCHEDULE)


def test_the_schedule_is_daily_and_off_by_default():
    """It observes half an hour before the first run of the day."""
    found = schedule(build_defs())
    assert (found.cron_schedule, found.execution_timezone) == ("0 9 * * *", "UTC")
    assert found.default_status is dg.DefaultScheduleStatus.STOPPED


def test_the_schedule_observes_everything_that_others_own(observe, tmp_path):
    (tmp_path / "prices.yaml").write_text(VALID)
    succeeded, seen = observe(tmp_path / "prices.yaml")
    graph = build_defs().resolve_asset_graph()
    assert succeeded
    assert seen.keys() == {key.to_user_string() for key in graph.observable_asset_keys}
    assert {name for name, metadata in seen.items() if "dagster/row_count" in metadata} == set(seen) - {"price_book"}


def test_a_bad_price_file_fails_its_observation_only(observe, tmp_path):
    """The run fails, and the tables are observed."""
    (tmp_path / "prices.yaml").write_text("version: 2")
    succeeded, seen = observe(tmp_path / "prices.yaml")
    assert not succeeded
    assert seen.keys() == {"library", "flowsheet", "rotation", "billing_event"}
