"""Who launched a run, derived from its tags: automation or an operator."""

import pytest

from wxyc_assets.runs.origin import ORIGIN_TAG, run_origin

SCHEDULE = {"dagster/schedule_name": "s", "dagster/tick": "1"}
SENSOR = {"dagster/sensor_name": "stale_identities"}
AUTOMATION = {"dagster/from_automation_condition": "true"}
BACKFILL = {"dagster/backfill": "b"}
RANGE = {"dagster/asset_partition_range_start": "0", "dagster/asset_partition_range_end": "15"}


@pytest.mark.parametrize(
    "tags",
    [
        SCHEDULE,
        SENSOR,
        AUTOMATION,
        AUTOMATION | BACKFILL,  # several partitions by automation make a backfill too
        SCHEDULE | RANGE,
        SENSOR | RANGE,
    ],
)
def test_automatic_launch_is_routine(tags):
    assert run_origin(tags) == "routine"


@pytest.mark.parametrize(
    "tags",
    [
        {},
        BACKFILL,
        BACKFILL | RANGE,
        RANGE,
        {"dagster/partition": "3"},
        {"dagster/from_ui": "true"},
        {"dagster/from_ui": "true"} | BACKFILL,
        {"dagster/parent_run_id": "p"},
    ],
)
def test_manual_launch_is_explicit(tags):
    assert run_origin(tags) == "explicit"


@pytest.mark.parametrize("automatic", [SCHEDULE, SENSOR, AUTOMATION])
@pytest.mark.parametrize("by_hand", ["dagster/parent_run_id", "dagster/parent_backfill_id", "dagster/from_ui"])
def test_a_re_execution_keeps_its_parents_tags_and_is_explicit(automatic, by_hand):
    assert run_origin(automatic | {by_hand: "x"}) == "explicit"


def test_the_command_lines_own_tag_wins():
    assert run_origin({ORIGIN_TAG: "routine", "dagster/from_ui": "true"}) == "routine"
    assert run_origin({ORIGIN_TAG: "explicit"} | SCHEDULE) == "explicit"


@pytest.mark.parametrize(("tags", "origin"), [({}, "explicit"), (SCHEDULE, "routine")])
def test_unknown_origin_tag_is_ignored(tags, origin):
    assert run_origin({ORIGIN_TAG: "unknown"} | tags) == origin
