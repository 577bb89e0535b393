"""Runs that compete for the same hours or rows."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

from tests.blocked_sessions import wait_until_blocked
from tests.run_harness import assert_stopped_without_its_locks
from tests.wxyc_assets.assets.rated_usage import oracle
from tests.wxyc_assets.assets.rated_usage.harness import (
    HOUR,
    TEN,
    RatedUsageRuns,
    add_hours,
    billed_hours,
    event,
    held_locks,
    rating_process,
)
from wxyc_assets.assets.rated_usage.wait_budget import WaitBudget
from wxyc_assets.runs.advisory_locks import held_units, run_locks, run_unit, unit
from wxyc_assets.runs.lanes import LANES
from wxyc_assets.runs.partitions import hour_key
from wxyc_assets.sandbox.generator import generate_billing_events


def test_locked_hours_are_refused_after_one_wait_budget_for_all(billing, monkeypatch):
    """The reason names the holder, and the other hours are rated."""
    remaining = []
    waiting = WaitBudget.waiting

    @contextmanager
    def recorded(budget):
        with waiting(budget) as left_s:
            remaining.append(left_s)
            yield left_s

    monkeypatch.setattr(WaitBudget, "waiting", recorded)
    add_hours(billing, 6)
    billing.unit_wait_s = 0.5
    with run_locks(billing.postgres, "the-other") as locks:
        locks.take([unit("rated_usage", hour_key(TEN + place * HOUR)) for place in (1, 2, 4)])
        began = time.monotonic()
        report = billing.run(hours=6)
        waited_s = time.monotonic() - began
    assert waited_s > 0.4
    assert len(remaining) == 3
    assert max(remaining) <= 0.5
    assert min(remaining) < 0.1  # the last of the three hours finds the budget used up
    assert billed_hours(billing) == {TEN + place * HOUR for place in (0, 3, 5)}
    assert set(report.refused) == {hour_key(TEN + place * HOUR) for place in (1, 2, 4)}
    assert (
        "2026-06-08-11:00 to 2026-06-08-12:00, 2026-06-08-14:00: being worked on by wxyc_assets run the-other"
        in report.reason
    )
    assert report.verdict == "failed"
    assert billing.steps("unit_wait")
    assert billing.run(hours=6).verdict == "done"


def test_a_run_waits_for_a_locked_hour(billing):
    add_hours(billing, 1)
    billing.unit_wait_s = 30
    with ThreadPoolExecutor(1) as elsewhere, run_locks(billing.postgres, "the-other") as locks:
        locks.take([unit("rated_usage", hour_key(TEN))])
        running = elsewhere.submit(billing.run)
        wait_until_blocked(billing.postgres, locks.connection)
        locks.release(unit("rated_usage", hour_key(TEN)))
        assert running.result(timeout=60).verdict == "done"


def test_a_run_locks_one_hour_per_lane(billing):
    """A server has no room for the locks of a year of hours."""
    add_hours(billing, 9)
    held = []
    billing.on_done = lambda _done: held.append(held_locks(billing))
    billing.run(hours=9)
    assert max(held) <= 1 + LANES  # the lock on the run id, and one hour per lane
    assert held_locks(billing) == 0


def test_a_run_holds_the_lock_of_the_hour_that_it_rates(billing):
    billing.add(event())
    billing.run()
    billing.add(event())
    with billing.postgres.connect() as other, ThreadPoolExecutor(1) as elsewhere:
        with other.transaction():
            other.execute("UPDATE rated_usage SET cost = 77")
            running = elsewhere.submit(billing.run, run_id="the-one")
            wait_until_blocked(billing.postgres, other)
            assert held_units(other, [unit("rated_usage", hour_key(TEN)), run_unit("the-one")]) == {
                unit("rated_usage", hour_key(TEN)),
                run_unit("the-one"),
            }
            assert "wxyc_assets run the-one" in billing.run().reason
        running.result(timeout=60)


def test_a_row_that_another_session_writes_is_rated_after_it(billing):
    """The change ledger has the value of the other session as the state before."""
    billing.add(event())
    billing.run()
    billing.add(event())
    with billing.postgres.connect() as other, ThreadPoolExecutor(1) as elsewhere:
        with other.transaction():
            other.execute("UPDATE rated_usage SET cost = 77")
            running = elsewhere.submit(billing.run)
            wait_until_blocked(billing.postgres, other)
        assert running.result(timeout=60).verdict == "done"
    assert billing.slept == [0.1]
    assert billing.changes()[-1]["cost_before"] == "77.000000000"


def test_eight_runs_over_overlapping_windows_bill_every_row_once(billing):
    with billing.postgres.connect() as connection:
        generate_billing_events(connection, 20_000, first_instant=TEN, hours=20, accounts=150, models={"b": None})
    assert billing.price_file.exists()
    with ExitStack() as stack:
        raters = [
            stack.enter_context(rating_process(billing, TEN + place % 4 * 2 * HOUR, 14, rounds=4)) for place in range(8)
        ]
        credited = [rater.communicate(timeout=120)[0].splitlines() for rater in raters]
    assert [rater.returncode for rater in raters] == [0] * 8
    assert [len(hours) for hours in credited] == [4 * 14] * 8
    assert (
        billing.billed()
        == oracle.rate(billing.query("SELECT * FROM billing_event"), billing.prices, TEN, TEN + 20 * HOUR).rows
    )
    assert len(billing.changes()) == len(billing.billed())


def test_run_without_its_locks_rates_nothing_beside_a_second(billing):
    """Only the session that holds the run's own lock is ended; its lanes are at work on sessions of their own."""
    add_hours(billing, 12)
    second: list[Any] = []

    def end_locks_and_run_again(_done):
        if not second:
            billing.end_lock_session("first")
            second.append(RatedUsageRuns(billing.postgres, folder=billing.folder, unit_wait_s=60).run(hours=12))

    billing.on_done = end_locks_and_run_again
    first = billing.run(hours=12, run_id="first")
    assert_stopped_without_its_locks(first)
    assert 1 <= len(first.hours) < 12
    assert second[0].verdict == "done"
    assert (
        sum(rated.counters.rows_inserted for rated in first.hours.values())
        + sum(rated.counters.rows_inserted for rated in second[0].hours.values())
        == len(billed_hours(billing))
        == 12
    )
