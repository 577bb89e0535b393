"""The schedule that looks at what others own: at everything that can be observed, and at nothing else."""

import dagster as dg
import pytest

from tests.wxyc_assets.price_book.files import VALID
from wxyc_assets.definitions import build_defs
from wxyc_assets.settings import RatingSettings, load

SCHEDULE = "observe_station"


@pytest.fixture
def observe(station):
    """Runs what the schedule asks for; returns whether it succeeded, and what each table was found to hold."""

    def run(price_file):
        defs = build_defs(postgres=station, rating_settings=load(RatingSettings, {"PRICE_FILE": str(price_file)}))
        job = defs.resolve_job_def(schedule(defs).job_name)
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        with dg.DagsterInstance.ephemeral() as instance:
            ended = job.execute_in_process(instance=instance, run_config=quiet, raise_on_error=False)
            seen = [
                event.event_log_entry.dagster_event.event_specific_data.asset_observation
                for key in defs.resolve_asset_graph().get_all_asset_keys()
                for event in instance.fetch_observations(key, limit=2).records
            ]
        return ended.success, {one.asset_key.to_user_string(): one.metadata for one in seen}

    return run


def schedule(defs):
    return defs.resolve_schedule_def(SCHEDULE)


def test_it_looks_once_a_day_before_the_work_begins_and_is_off_until_somebody_wants_it():
    found = schedule(build_defs())
    assert (found.cron_schedule, found.execution_timezone) == ("0 9 * * *", "UTC")
    assert found.default_status is dg.DefaultScheduleStatus.STOPPED


def test_it_looks_at_everything_that_others_own(observe, tmp_path):
    (tmp_path / "prices.yaml").write_text(VALID)
    succeeded, seen = observe(tmp_path / "prices.yaml")
    graph = build_defs().resolve_asset_graph()
    assert succeeded
    assert seen.keys() == {key.to_user_string() for key in graph.observable_asset_keys}
    assert {name for name, metadata in seen.items() if "dagster/row_count" in metadata} == set(seen) - {"price_book"}


def test_a_price_file_with_a_problem_fails_it_and_the_tables_are_observed_all_the_same(observe, tmp_path):
    (tmp_path / "prices.yaml").write_text("version: 2")
    succeeded, seen = observe(tmp_path / "prices.yaml")
    assert not succeeded
    assert seen.keys() == {"library", "flowsheet", "rotation", "billing_event"}
