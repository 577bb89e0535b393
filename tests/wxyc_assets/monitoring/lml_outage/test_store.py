"""Which runs of the ledger LML left unanswered."""

import pytest

from wxyc_assets.monitoring.lml_outage.store import database_now, lml_runs
from wxyc_assets.runs import ledger


@pytest.fixture
def connection(station):
    with station.connect() as session:
        yield session


def a_run(connection, run_id, asset="library_identity", reason="", **shards):
    ledger.begin_run(connection, run_id, asset, "routine")
    for key, counters in shards.items():
        tally = {"asset": asset, "partition_key": key.removeprefix("s"), "run_id": run_id, "complete": True}
        ledger.write_tally(connection, **tally, counters=counters)
    ledger.end_run(connection, run_id, "failed" if reason else "done", reason)


def test_the_counters_of_all_partitions_are_added(connection):
    a_run(connection, "r", s3={"lml_error": 4, "scanned": 6, "resolved": 2}, s5={"lml_error": 1})
    (found,) = lml_runs(connection)
    assert (found.unanswered, found.answered, found.is_routine) == (5, 2, True)
    assert (sorted(found.partitions), found.vain_partitions) == (["3", "5"], ["5"])
    assert found.in_vain
    assert not found.reached
    assert found.ended_at <= database_now(connection)


def test_a_run_without_a_tally_is_known_by_its_reason(connection):
    a_run(connection, "r", "rotation_cache", reason="the deploy gate is closed: LML's health could not be read: no")
    (found,) = lml_runs(connection)
    assert (found.in_vain, found.partitions) == (True, [])


def test_one_run_can_be_read_alone(connection):
    for run_id in ("a", "b"):
        a_run(connection, run_id)
    assert [found.run_id for found in lml_runs(connection, "b")] == ["b"]


def test_runs_that_do_not_ask_lml_or_have_not_ended_are_left_out(connection):
    a_run(connection, "a", "rated_usage")
    ledger.begin_run(connection, "b", "library_identity", "routine")
    assert lml_runs(connection) == []
