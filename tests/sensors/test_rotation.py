"""The two schedules of the rotation: when they request a run, of what, and when they do not."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from resources.postgres import Postgres
from sensors import rotation as schedules
from sensors.rotation import daily_rotation_cache, nightly_rotation_identity
from tests.fake_dagster_runs import Status, begin, status_of
from wxyc_assets.assets.rotation_cache.asset import rotation_cache
from wxyc_assets.database.revision import MigrationError
from wxyc_assets.orchestration.partitions import DAYS
from wxyc_assets.runs import ledger


@dg.asset
def rotation_identity() -> None:
    """Replaces the asset of that name."""


TODAY = datetime(2026, 6, 1, 4, 30, tzinfo=UTC)
BOTH = pytest.mark.parametrize("schedule", [nightly_rotation_identity, daily_rotation_cache], ids=lambda one: one.name)


@pytest.fixture(autouse=True)
def now(monkeypatch):
    """Sets the time of the daemon; by default seven minutes after the tick."""

    def choose(instant):
        class Clock(datetime):
            @classmethod
            def now(cls, _zone=None):
                return instant

        monkeypatch.setattr(schedules, "datetime", Clock)

    choose(TODAY + timedelta(minutes=7))
    return choose


@pytest.fixture
def tick(instance, station):
    """Evaluates a tick as the daemon does, with its asset; returns the requested runs and the skip message."""

    def evaluate(schedule, at=TODAY):
        defs = dg.Definitions(assets=[rotation_identity, rotation_cache], schedules=[schedule], resources=resources)
        repository = defs.get_repository_def()
        context = dg.build_schedule_context(
            instance,
            scheduled_execution_time=at,
            repository_def=repository,
            resources={"postgres": station, "billing_postgres": station},
        )
        result = repository.get_schedule_def(schedule.name).evaluate_tick(context)
        return list(result.run_requests or []), result.skip_message

    resources = dict.fromkeys(("lml", "sentry", "console", "rotation_settings", "lml_settings"), object())
    resources["postgres"] = resources["billing_postgres"] = station
    return evaluate


def test_the_cache_ticks_an_hour_after_its_identities():
    """Both at the hours of the predecessor, in UTC."""
    said = {
        one.name: (one.cron_schedule, one.execution_timezone)
        for one in (nightly_rotation_identity, daily_rotation_cache)
    }
    assert said == {"nightly_rotation_identity": ("30 3 * * *", "UTC"), "daily_rotation_cache": ("30 4 * * *", "UTC")}


def test_the_cache_schedule_requests_the_partition_of_today(tick):
    requests, _ = tick(daily_rotation_cache)
    (request,) = requests
    assert (request.partition_key, request.run_key) == ("2026-06-01", "2026-06-01")
    assert request.tags["dagster/partition"] == "2026-06-01"
    assert request.tags["dagster/schedule_name"] == "daily_rotation_cache"  # makes the run routine


def test_the_identities_schedule_requests_no_partition(tick):
    requests, _ = tick(nightly_rotation_identity)
    (request,) = requests
    assert request.partition_key is None


def test_the_cache_schedule_makes_today_a_partition(tick, instance):
    tick(daily_rotation_cache)
    assert instance.get_dynamic_partitions(DAYS.name) == ["2026-06-01"]


@BOTH
def test_the_tick_of_a_day_that_is_over_requests_no_run(tick, now, schedule):
    """A daemon that was down for days evaluates every tick that it missed at once."""
    now(TODAY + timedelta(days=2))
    requests, why = tick(schedule, TODAY)
    assert requests == []
    assert "2026-06-01" in why
    assert "2026-06-03" in why


@BOTH
def test_a_tick_within_its_day_requests_a_run_however_late(tick, now, schedule):
    now(datetime(2026, 6, 1, 23, 59, 59, tzinfo=UTC))
    assert len(tick(schedule)[0]) == 1


@BOTH
def test_a_tick_ends_dead_runs_before_its_request(tick, instance, station, schedule):
    dead = begin(instance, Status.STARTED)
    with station.connect() as connection:
        ledger.begin_run(connection, dead, "rotation_cache", "routine")
    assert len(tick(schedule)[0]) == 1
    assert status_of(instance, dead) is Status.FAILURE


@BOTH
def test_a_station_without_our_schema_is_refused(instance, database, schedule):
    context = dg.build_schedule_context(
        instance,
        scheduled_execution_time=TODAY,
        resources={"postgres": Postgres(database), "billing_postgres": Postgres(database)},
    )
    with pytest.raises(MigrationError):
        schedule(context)


def test_the_schedules_load_together_with_their_assets(station):
    names = ("postgres", "billing_postgres", "lml", "sentry", "console", "rotation_settings", "lml_settings")
    defs = dg.Definitions(
        assets=[rotation_identity, rotation_cache],
        schedules=[nightly_rotation_identity, daily_rotation_cache],
        resources=dict.fromkeys(names, station),
    )
    dg.Definitions.validate_loadable(defs)
