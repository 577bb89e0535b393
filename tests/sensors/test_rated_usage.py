"""The hourly schedule: one routine run a tick, over the trailing closed hours."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from sensors.rated_usage import rate_trailing_hours
from tests.fake_dagster_runs import begin, status_of
from wxyc_assets.assets.rated_usage.asset import rated_usage
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.orchestration.partitions import HOURS
from wxyc_assets.runs import ledger
from wxyc_assets.runs.origin import run_origin
from wxyc_assets.runs.partitions import range_tags
from wxyc_assets.settings import RatingSettings, load

TICK = datetime(2026, 6, 8, 10, 5, tzinfo=UTC)


@pytest.fixture
def tick(station):
    """Evaluates the schedule as the daemon does, and returns the run that it requests, or why it requests none."""

    def evaluate(instance, moment=TICK, trailing="24", **billing):
        context = dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=moment,
            resources={
                "postgres": station,
                "billing_postgres": station,
                "rating_settings": load(
                    RatingSettings,
                    {"RATE_TRAILING_HOURS": trailing, **{name.upper(): at for name, at in billing.items()}},
                ),
            },
        )
        result = rate_trailing_hours.evaluate_tick(context)
        requests: list[Any] = list(result.run_requests or [])
        return requests[0] if requests else result.skip_message

    return evaluate


@pytest.mark.parametrize(("trailing", "first"), [("24", "2026-06-07-10:00"), ("3", "2026-06-08-07:00")])
def test_a_tick_requests_one_run_over_the_trailing_closed_hours(instance, tick, trailing, first):
    request = tick(instance, trailing=trailing)
    assert {name: request.tags[name] for name in range_tags("", "")} == range_tags(first, "2026-06-08-09:00")
    assert set(range_tags(first, "2026-06-08-09:00").values()) <= set(HOURS.get_partition_keys(current_time=TICK))


def test_a_tick_requests_no_hour_before_billing_began(instance, tick):
    request = tick(instance, billing_start="2026-06-08T07:00:00Z")
    assert request.tags["dagster/asset_partition_range_start"] == "2026-06-08-07:00"


def test_a_tick_before_the_first_billed_hour_closed_is_skipped(instance, tick):
    assert "no hour has closed since billing began" in tick(instance, billing_start="2026-06-08T10:00:00Z")


def test_the_requested_run_is_routine(instance, tick):
    assert run_origin({**tick(instance).tags, "dagster/schedule_name": "rate_trailing_hours"}) == "routine"


def test_a_tick_that_is_evaluated_twice_requests_one_run(instance, tick):
    """The next tick requests another one."""
    keys = [tick(instance, moment).run_key for moment in (TICK, TICK, TICK + timedelta(hours=1))]
    assert keys[0] == keys[1] != keys[2]


def test_the_schedule_ticks_at_five_past_every_utc_hour():
    assert (rate_trailing_hours.cron_schedule, rate_trailing_hours.execution_timezone) == ("5 * * * *", "UTC")
    job: Any = rate_trailing_hours.job
    assert job.selection == dg.AssetSelection.assets(rated_usage)


def test_a_tick_ends_dead_runs_before_its_request(instance, tick, station):
    run_id = begin(instance)
    with station.connect() as connection:
        ledger.begin_run(connection, run_id, "rated_usage", "routine")
        connection.execute("UPDATE wxyc_assets.run SET started_at = now() - interval '1 day'")
    tick(instance)
    assert status_of(instance, run_id) is dg.DagsterRunStatus.FAILURE


def test_a_station_without_our_schema_is_refused(instance, tick, station):
    with station.connect() as connection:
        connection.execute("DELETE FROM wxyc_assets.alembic_version")
    with pytest.raises(dg.DagsterError) as refused:
        tick(instance)
    assert isinstance(refused.value.__cause__, MigrationError)
