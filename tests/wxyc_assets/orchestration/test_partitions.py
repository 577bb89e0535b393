"""The partitions definitions of Dagster."""

from datetime import UTC, datetime

import dagster as dg
import pytest

from wxyc_assets.definitions import code_location, defs
from wxyc_assets.orchestration.partitions import DAYS, HOURS, SHARDS, add_day, hours_since

NOW = datetime(2026, 6, 8, 10, 37, tzinfo=UTC)
USAGE = dg.AssetKey("rated_usage")


def _first_hour(definitions: dg.Definitions) -> str:
    hours = definitions.resolve_asset_graph().get(USAGE).partitions_def
    assert hours is not None
    return hours.get_partition_keys(current_time=NOW)[0]


def test_the_hours_begin_where_they_are_told_to():
    keys = hours_since(datetime(2026, 6, 8, 7, tzinfo=UTC)).get_partition_keys(current_time=NOW)
    assert keys == ["2026-06-08-07:00", "2026-06-08-08:00", "2026-06-08-09:00"]
    assert hours_since(datetime(2026, 6, 8, 10, tzinfo=UTC)).get_partition_keys(current_time=NOW) == []
    assert HOURS.get_partition_keys(current_time=NOW)[0] == "2026-01-01-00:00"


def test_there_are_sixteen_shards():
    assert SHARDS.get_partition_keys() == [str(shard) for shard in range(16)]


def test_a_day_is_added_once(instance):
    add_day(instance, "2026-06-08")
    add_day(instance, "2026-06-08")
    assert instance.get_dynamic_partitions(DAYS.name) == ["2026-06-08"]


@pytest.mark.parametrize(
    ("setting", "first"),
    [("2026-06-01T05:00:00Z", "2026-06-01-05:00"), ("", "2026-01-01-00:00"), ("last spring", "2026-01-01-00:00")],
    ids=["set", "unset", "unusable"],
)
def test_the_code_location_begins_its_hours_with_the_setting(monkeypatch, setting, first):
    """An unusable setting takes no other asset down: the runs of rated_usage refuse it."""
    monkeypatch.setenv("BILLING_START", setting)
    assert _first_hour(code_location()) == first
    assert _first_hour(defs) == "2026-01-01-00:00"


def test_only_the_partitions_depend_on_the_setting(monkeypatch):
    monkeypatch.setenv("BILLING_START", "2026-06-01T05:00:00Z")
    loaded, plain = (one.resolve_asset_graph() for one in (code_location(), defs))
    assert loaded.get_all_asset_keys() == plain.get_all_asset_keys()
    assert loaded.asset_check_keys == plain.asset_check_keys
    assert loaded.get(USAGE).parent_keys == plain.get(USAGE).parent_keys
