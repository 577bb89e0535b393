"""The days of rotation_cache: today is one, and a day that can never be warmed again is none."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from sensors import rotation_days as module
from sensors.rotation_days import CACHE, rotation_days
from wxyc_assets.orchestration.partitions import DAYS


@pytest.fixture
def tick(instance, monkeypatch):
    """Evaluates the sensor on a day as the daemon does, applies its requests, and returns the days that it leaves."""

    def evaluate(day):
        class Clock(datetime):
            @classmethod
            def now(cls, _zone=None):
                return datetime.fromisoformat(f"{day}T00:00:01").replace(tzinfo=UTC)

        monkeypatch.setattr(module, "datetime", Clock)
        with dg.build_sensor_context(instance) as context:
            result: Any = rotation_days(context)
        for request in result.dynamic_partitions_requests or []:
            if isinstance(request, dg.AddDynamicPartitionsRequest):
                instance.add_dynamic_partitions(DAYS.name, request.partition_keys)
            else:
                for key in request.partition_keys:
                    instance.delete_dynamic_partition(DAYS.name, key)
        return list(instance.get_dynamic_partitions(DAYS.name))

    return evaluate


def test_today_is_a_partition_from_its_first_minute(tick):
    assert tick("2026-06-01") == ["2026-06-01"]
    assert tick("2026-06-01") == ["2026-06-01"]


def test_a_day_that_was_not_warmed_is_dropped_and_a_warmed_one_stays(tick, instance):
    tick("2026-06-01")
    instance.report_runless_asset_event(dg.AssetMaterialization(CACHE, partition="2026-06-01"))
    tick("2026-06-02")
    tick("2026-06-03")
    assert tick("2026-06-04") == ["2026-06-01", "2026-06-03", "2026-06-04"]


def test_days_that_an_older_version_warmed_become_partitions(tick, instance):
    instance.report_runless_asset_event(dg.AssetMaterialization(CACHE, partition="2026-05-07"))
    assert tick("2026-06-01") == ["2026-05-07", "2026-06-01"]


def test_the_sensor_is_on_from_the_start():
    assert rotation_days.default_status is dg.DefaultSensorStatus.RUNNING
