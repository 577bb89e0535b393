"""The sensor that repeats what LML did not answer."""

from typing import Any

import dagster as dg
import pytest

from sensors.after_outage import after_outage
from wxyc_assets.runs import ledger
from wxyc_assets.runs.partitions import range_tags


@pytest.fixture
def connection(station):
    with station.connect() as session:
        yield session


@pytest.fixture
def tick(instance, station):
    """Runs a tick and returns what it requests: job, tags and run key; or why it requests nothing."""

    def run():
        result: Any = after_outage(
            dg.build_sensor_context(instance=instance, resources={"postgres": station, "billing_postgres": station})
        )
        if isinstance(result, dg.SkipReason):
            return result.skip_message
        return [
            (request.job_name, request.partition_key, request.tags, request.run_key) for request in result.run_requests
        ]

    return run


def in_vain(connection, run_id, asset, *keys, origin="routine", counters=None):
    """Record a run that LML did not answer; six minutes have passed since."""
    ledger.begin_run(connection, run_id, asset, origin)
    for key in keys:
        tally = {"asset": asset, "partition_key": key, "run_id": run_id, "complete": True}
        ledger.write_tally(connection, **tally, counters=counters or {"batch_error": 3, "lml_error": 3})
    ledger.end_run(connection, run_id, "failed", "LML answered none of them")
    passes(connection, 6)


def passes(connection, minutes):
    connection.execute("UPDATE wxyc_assets.run SET ended_at = ended_at - make_interval(mins => %s)", [minutes])


def test_nothing_is_repeated_without_an_outage(tick):
    assert tick() == "LML answered the last run of every schedule and sensor"


def test_the_shards_of_a_routine_run_are_requested_after_the_wait(tick, connection):
    in_vain(connection, "vain", "album_metadata", "2", "3", "9")
    passes(connection, -3)
    assert tick().startswith("LML did not answer; the next try of album_metadata at ")
    passes(connection, 3)
    assert [(job, tags, key) for job, _, tags, key in tick()] == [
        ("run_album_metadata", range_tags("2", "3"), "after vain: 2-3"),
        ("run_album_metadata", range_tags("9", "9"), "after vain: 9-9"),
    ]


def test_a_try_in_vain_doubles_the_wait_and_is_repeated_anew(tick, connection):
    in_vain(connection, "first", "album_metadata", "2")
    in_vain(connection, "second", "album_metadata", "2")
    passes(connection, -3)
    assert isinstance(tick(), str)
    passes(connection, 8)
    assert [key for *_, key in tick()] == ["after second: 2-2"]


def test_the_rotation_is_requested_again(tick, connection):
    ((today,),) = connection.execute("SELECT to_char(now(), 'YYYY-MM-DD')").fetchall()
    in_vain(connection, "cache", "rotation_cache", today)
    in_vain(connection, "identity", "rotation_identity", "all")
    assert {key for *_, key in tick()} == {"after cache", "after identity"}
    assert {partition for _, partition, *_ in tick()} == {today, None}


def test_the_cache_of_a_past_day_is_not_requested(tick, connection):
    in_vain(connection, "cache", "rotation_cache", "2026-01-01")
    assert tick() == "LML answered the last run of every schedule and sensor"


def test_a_run_that_an_operator_started_is_not_repeated(tick, connection):
    in_vain(connection, "mine", "album_metadata", "2", origin="explicit")
    assert tick() == "LML answered the last run of every schedule and sensor"
