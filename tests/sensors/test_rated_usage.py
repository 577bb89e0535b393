"""The hourly schedule: one routine run a tick, over the trailing closed hours."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from sensors.rated_usage import rate_trailing_hours
from tests.runs import begin, status_of
from wxyc_assets import ledger
from wxyc_assets.partitions import range_tags
from wxyc_assets.rated_usage.asset import HOURS, rated_usage
from wxyc_assets.revision import MigrationError
from wxyc_assets.run_origin import run_origin
from wxyc_assets.settings import RatingSettings

TICK = datetime(2026, 6, 8, 10, 5, tzinfo=UTC)


@pytest.fixture
def tick(station):
    """Evaluates the schedule as the daemon does, and returns what it asks for."""

    def evaluate(instance, moment=TICK, trailing="24"):
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=moment,
            resources={
                "postgres": station,
                "rating_settings": RatingSettings.model_validate({"RATE_TRAILING_HOURS": trailing}),
            },
        )
        (request,) = rate_trailing_hours.evaluate_tick(context).run_requests
        return request

    return evaluate


@pytest.mark.parametrize(("trailing", "first"), [("24", "2026-06-07-10:00"), ("3", "2026-06-08-07:00")])
def test_a_tick_asks_for_one_run_over_the_trailing_closed_hours(instance, tick, trailing, first):
    request = tick(instance, trailing=trailing)
    assert {name: request.tags[name] for name in range_tags("", "")} == range_tags(first, "2026-06-08-09:00")
    assert set(range_tags(first, "2026-06-08-09:00").values()) <= set(HOURS.get_partition_keys(current_time=TICK))


def test_what_it_asks_for_is_a_routine_run(instance, tick):
    assert run_origin({**tick(instance).tags, "dagster/schedule_name": "rate_trailing_hours"}) == "routine"


def test_a_tick_that_is_evaluated_twice_asks_once_and_the_next_one_asks_again(instance, tick):
    keys = [tick(instance, moment).run_key for moment in (TICK, TICK, TICK + timedelta(hours=1))]
    assert keys[0] == keys[1] != keys[2]


def test_it_ticks_at_five_past_every_hour_of_utc():
    assert (rate_trailing_hours.cron_schedule, rate_trailing_hours.execution_timezone) == ("5 * * * *", "UTC")
    assert rate_trailing_hours.job.selection == dg.AssetSelection.assets(rated_usage)


def test_a_dead_run_is_ended_before_a_new_one_is_asked_for(instance, tick, station):
    run_id = begin(instance)
    with station.connect() as connection:
        ledger.begin_run(connection, run_id, "rated_usage", "routine")
        connection.execute("UPDATE wxyc_assets.run SET started_at = now() - interval '1 day'")
    tick(instance)
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE


def test_a_station_without_our_schema_is_told_to_migrate(instance, tick, station):
    with station.connect() as connection:
        connection.execute("DELETE FROM wxyc_assets.alembic_version")
    with pytest.raises(dg.DagsterError) as refused:
        tick(instance)
    assert isinstance(refused.value.__cause__, MigrationError)
