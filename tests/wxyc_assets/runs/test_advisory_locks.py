"""Runs lock their units in the database: each unit belongs to one run, and a dead run holds none."""

import multiprocessing
import time
from dataclasses import replace

import pytest

from wxyc_assets.runs.advisory_locks import Refusal, held_units, run_locks, run_unit, unit

UNITS = [unit("library_identity", shard) for shard in range(16)]
_spawn = multiprocessing.get_context("spawn")


def _hold(postgres, run_id, units, holding):
    """Take units in a child process and hold them until it is killed."""
    with run_locks(postgres, run_id) as locks:
        holding.send(locks.take(units))
        time.sleep(600)


def _take_and_release(postgres, run_id, units, refused):
    with run_locks(postgres, run_id) as locks:
        refusals = locks.take(units, wait_s=120)
        time.sleep(0.05)
        refused.put(len(refusals))


@pytest.fixture
def holder(station):
    """A live run in another process that holds shards 3 and 4."""
    receiving, sending = _spawn.Pipe(duplex=False)
    process = _spawn.Process(target=_hold, args=(station, "run-a", UNITS[3:5], sending), daemon=True)
    process.start()
    assert receiving.recv() == []
    yield process
    process.kill()
    process.join()


def test_unit_that_another_run_holds_is_refused_with_holder(station, holder):
    with run_locks(station, "run-b") as locks:
        refusals = locks.take(UNITS[3:4], wait_s=0.05)
    assert [refusal.unit for refusal in refusals] == ["library_identity/3"]
    assert str(refusals[0]).startswith("library_identity/3 is being worked on by wxyc_assets run run-a (pid ")


def test_free_units_are_taken_beside_refused_ones(station, holder):
    with run_locks(station, "run-b") as locks, station.connect() as connection:
        assert [refusal.unit for refusal in locks.take(UNITS, wait_s=0.05)] == UNITS[3:5]
        assert held_units(connection, UNITS) == set(UNITS)
    with station.connect() as connection:
        assert held_units(connection, UNITS) == set(UNITS[3:5])


def test_the_wait_is_bounded_for_all_units_together(station):
    with run_locks(station, "run-a") as theirs, run_locks(station, "run-b") as ours:
        theirs.take(UNITS)
        began = time.monotonic()
        assert len(ours.take(UNITS, wait_s=1)) == 16
        assert 1 <= time.monotonic() - began < 16  # a wait for each unit would take 16 s


def test_killed_run_releases_every_unit(station, holder):
    with run_locks(station, "run-b") as locks, station.connect() as connection:
        assert held_units(connection, [run_unit("run-a")]) == {run_unit("run-a")}
        holder.kill()
        assert locks.take(UNITS[3:5], wait_s=60) == []
        assert held_units(connection, [run_unit("run-a")]) == set()


def test_run_waits_for_a_unit_that_is_released_in_time(station, holder):
    waiting = _spawn.Queue()
    waiter = _spawn.Process(target=_take_and_release, args=(station, "run-b", UNITS[:8], waiting), daemon=True)
    waiter.start()
    time.sleep(0.5)
    holder.kill()
    assert waiting.get(timeout=120) == 0
    waiter.join()


def test_disjoint_shards_run_at_once(station, holder):
    with run_locks(station, "run-b") as locks:
        assert locks.take([unit for unit in UNITS if unit not in UNITS[3:5]], wait_s=0.05) == []


def test_assets_do_not_lock_each_other(station, holder):
    with run_locks(station, "run-b") as locks:
        assert locks.take([unit("album_metadata", 3)], wait_s=0.05) == []


def test_eight_runs_over_overlapping_ranges_never_deadlock(station):
    refused = _spawn.Queue()
    ranges = [(0, 15), (0, 7), (4, 11), (8, 15), (2, 3), (3, 12), (0, 0), (5, 15)]
    runs = [
        _spawn.Process(
            target=_take_and_release,
            args=(station, f"run-{first}-{last}", UNITS[first : last + 1], refused),
            daemon=True,
        )
        for first, last in ranges
    ]
    for run in runs:
        run.start()
    assert [refused.get(timeout=120) for _ in runs] == [0] * 8
    for run in runs:
        run.join()


def test_idle_session_timeout_of_the_server_ends_no_lock(station):
    short_lived = replace(station, dsn=f"{station.dsn}&options=-cidle_session_timeout%3D100")
    with run_locks(short_lived, "run-a") as locks, station.connect() as connection:
        locks.take(UNITS[:1])
        time.sleep(0.4)
        assert held_units(connection, UNITS) == {UNITS[0]}


def test_locks_of_another_database_do_not_conflict(station, server, station_template):
    elsewhere = replace(station, dsn=server.create_database())
    with run_locks(elsewhere, "run-a") as theirs, run_locks(station, "run-b") as ours:
        theirs.take(UNITS)
        with station.connect() as connection:
            assert held_units(connection, UNITS) == set()
        assert ours.take(UNITS, wait_s=0.05) == []
    server.drop_database(elsewhere.dsn)


def test_wait_is_announced_with_its_holder_before_it_begins(station):
    announced: list[Refusal] = []
    with run_locks(station, "first") as first, run_locks(station, "second") as second:
        first.take(["asset/1"])
        refused = second.take(["asset/0", "asset/1"], 0.3, announced.append)
    assert [refusal.unit for refusal in announced] == ["asset/1"]
    assert "first" in announced[0].holder
    assert [refusal.unit for refusal in refused] == ["asset/1"]


def test_unit_can_be_released_before_the_run_ends(station):
    with run_locks(station, "ours") as locks:
        locks.take(UNITS[:2])
        locks.release(UNITS[0])
        with station.connect() as connection:
            assert held_units(connection, UNITS) == {UNITS[1]}
