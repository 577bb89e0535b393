"""The budget's promise: at most N + 1 calls in any minute, over threads, processes, blocks and releases.

No test depends on how fast it runs. A reservation's instant is exact: its mark (where the next one begins), less its own time.
The budget of ``make`` is reserved for an hour ahead, so that the distance between two calls follows from their costs alone.
"""

import multiprocessing
import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from resources.budget import WINDOW_S, PostgresBudget, backlog
from resources.postgres import Postgres
from tests.blocked_sessions import wait_until_blocked
from tests.waiting import wait_for

PER_MINUTE = 30.0
GAP_S = 60 / PER_MINUTE
_spawn = multiprocessing.get_context("spawn")


def reserve(budget: PostgresBudget, cost: float = 1.0) -> datetime:
    """Reserve, and return the instant at which the calls may start."""
    budget.reserve(cost)
    mark: datetime = budget._thread.last_reservation[0]
    return mark - timedelta(seconds=cost * 60 / budget._per_minute)


def seconds(later: datetime, earlier: datetime) -> float:
    return round((later - earlier).total_seconds(), 3)


def distances(starts: list[datetime]) -> list[float]:
    """Return the seconds between each start and the first."""
    return [seconds(start, starts[0]) for start in starts]


class Row:
    """The row of the budget, and the database's clock."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def value(self, expression: str) -> datetime:
        row = self.connection.execute(f"SELECT {expression} FROM wxyc_assets.budget").fetchone()
        assert row is not None
        value: datetime = row[0]
        return value

    def set(self, assignment: str) -> None:
        self.connection.execute(f"UPDATE wxyc_assets.budget SET {assignment}")

    @property
    def now(self) -> datetime:
        return self.value("clock_timestamp()")

    @property
    def blocked_until(self) -> datetime:
        return self.value("blocked_until")


@pytest.fixture
def row(station):
    with station.connect() as connection:
        yield Row(connection)


@pytest.fixture
def make(station, row):
    """Makes a client of the budget; the database cannot tell two of them from two processes."""
    row.set("tat = now() + interval '1 h'")
    made = []

    def one(per_minute: float = PER_MINUTE) -> PostgresBudget:
        made.append(PostgresBudget(station.open, per_minute=per_minute))
        return made[-1]

    yield one
    for budget in made:
        budget.close()


# The distance between calls


def test_the_first_call_of_an_idle_budget_waits_for_nothing(make, row):
    row.set("tat = now()")
    assert make().reserve(1) == 0


def test_the_wait_ends_at_the_reserved_instant(make, row):
    budget = make()
    reserve(budget, cost=20)
    before = row.now
    wait_s = budget.reserve(1)
    after = row.now
    start = budget._thread.last_reservation[0] - timedelta(seconds=GAP_S)
    assert (start - after).total_seconds() <= wait_s <= (start - before).total_seconds()


def test_idle_time_saves_no_burst(make, row):
    budget = make(per_minute=3)
    row.set("tat = now() - interval '1 h'")
    assert distances([reserve(budget) for _ in range(3)]) == [0, 20, 40]


def test_a_call_takes_the_time_of_its_cost(make):
    budget = make()
    assert distances([reserve(budget, cost=10), reserve(budget)]) == [0, 10 * GAP_S]


@pytest.mark.parametrize("per_minute", [0.5, 30, 3000])
def test_any_positive_rate_spaces_calls_accordingly(make, per_minute):
    budget = make(per_minute)
    first, second = reserve(budget, cost=10_000), reserve(budget)
    assert seconds(second, first) == pytest.approx(10_000 * 60 / per_minute)


def test_a_call_that_costs_nothing_does_not_queue(make):
    budget = make()
    first = reserve(budget, cost=1000)
    assert budget.reserve(0) == 0
    assert seconds(reserve(budget), first) == 1000 * GAP_S


def test_threads_share_one_budget(make):
    budget, starts = make(), []
    threads = [threading.Thread(target=lambda: starts.append(reserve(budget))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert distances(sorted(starts)) == [GAP_S * number for number in range(8)]


def test_a_reservation_waits_for_one_that_is_not_committed(station, make):
    """Another process is in the middle of its reservation: both would get one instant if neither waited."""
    budget, starts = make(), []
    with station.connect() as other:
        with other.transaction():
            first = other.execute(
                "SELECT mark FROM wxyc_assets.reserve_budget('discogs', 1, %s, %s)", [PER_MINUTE, WINDOW_S]
            ).fetchone()
            second = threading.Thread(target=lambda: starts.append(reserve(budget)))
            second.start()
            wait_until_blocked(station, by=other)
        second.join()
    assert (*starts,) == first


def test_the_time_zone_of_a_session_does_not_matter(station, make):
    def in_kolkata() -> psycopg.Connection:
        connection: psycopg.Connection = station.open()
        connection.execute("SET timezone TO 'Asia/Kolkata'")
        return connection

    here, elsewhere = make(), PostgresBudget(in_kolkata, per_minute=PER_MINUTE)
    starts = [reserve(budget) for budget in (here, elsewhere, here, elsewhere)]
    assert distances(starts) == [0, GAP_S, 2 * GAP_S, 3 * GAP_S]
    elsewhere.block(3600)
    assert 0 < here.reserve(0) <= 3600
    elsewhere.close()


# Any minute


def most_within(window: timedelta, starts: list[datetime]) -> int:
    """Return the most starts in one window of that length, of starts in order."""
    return max(sum(first <= start <= first + window for start in starts) for first in starts)


def reserve_many(postgres: Postgres, count: int, path: Path) -> None:
    """Write each start into a file, a line at a time, so that a kill costs one line at most."""
    budget = PostgresBudget(postgres.open, per_minute=PER_MINUTE)
    with path.open("a", buffering=1) as written:
        for _ in range(count):
            written.write(f"{reserve(budget).isoformat()}\n")
            time.sleep(0.002)


def starts_in(path: Path) -> list[datetime]:
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [datetime.fromisoformat(line.strip()) for line in lines if line.endswith("\n")]


def test_no_window_exceeds_the_rate_over_processes_and_a_kill(station, tmp_path):
    """The promise for a minute, and for shorter and longer windows; one of four processes is killed."""
    paths = [tmp_path / str(number) for number in range(4)]
    counts = [10**6, 80, 80, 80]
    doomed, *living = [
        _spawn.Process(target=reserve_many, args=(station, count, path), daemon=True)
        for count, path in zip(counts, paths, strict=True)
    ]
    for process in [doomed, *living]:
        process.start()
    wait_for(lambda: len(starts_in(paths[0])) >= 20, "20 reservations of the process to kill", 240)
    doomed.kill()
    for process in [doomed, *living]:
        process.join()
    starts = sorted(start for path in paths for start in starts_in(path))
    assert len(starts) >= 260
    for calls in (1, 10, 30, 100):
        assert most_within(timedelta(seconds=calls * GAP_S), starts) <= calls + 1
    assert most_within(timedelta(seconds=101 * GAP_S), starts) >= 90  # and the budget is used


@pytest.mark.parametrize(
    "costs",
    [
        [28] * 8,
        [1] * 29 + [28] + [1] * 60,
        [20, 20, 5, 5, 20, 1, 30, 30, 1, 1, 29, 2] * 3,
        [12.5, 0.25] * 30,
    ],
)
def test_no_minute_holds_more_than_the_budget_and_one(make, costs):
    budget = make()
    spent = [(reserve(budget, cost), cost) for cost in costs]
    minute = timedelta(seconds=60)
    assert max(sum(cost for later, cost in spent if at <= later < at + minute) for at, _ in spent) <= 31


def test_a_call_that_costs_more_than_a_minute_stands_alone(make):
    budget = make()
    starts = [reserve(budget, 1), reserve(budget, 100), reserve(budget, 1)]
    assert distances(starts) == [0, WINDOW_S, WINDOW_S + 200]


@pytest.mark.parametrize(("cost", "calls", "minutes"), [(1, 120, 4), (2.5, 48, 4), (5, 24, 4), (7.5, 16, 4)])
def test_calls_that_fit_the_minute_use_all_of_it(make, cost, calls, minutes):
    budget = make()
    first = reserve(budget, cost)
    last = [reserve(budget, cost) for _ in range(calls)][-1]
    assert seconds(last, first) == pytest.approx(minutes * 60, rel=0.01)


def test_a_fast_budget_is_remembered_in_few_entries(make, row):
    budget = make(per_minute=60_000)
    for _ in range(1200):
        budget.reserve(30)
    assert row.value("cardinality(recent_at)") < 600


# Blocks


def test_a_block_binds_every_caller_and_spaces_the_calls_after(make, row):
    ours, theirs = make(), make()
    ours.block(3600)
    end = row.blocked_until
    for budget in (ours, theirs):
        before = row.now
        wait_s = budget.reserve(0)
        assert (end - row.now).total_seconds() <= wait_s <= (end - before).total_seconds()
    starts = [reserve(budget) for budget in (theirs, ours, theirs)]
    assert [seconds(start, end) for start in starts] == [0, GAP_S, 2 * GAP_S]


@pytest.mark.parametrize("shorter_s", [0.05, -100])
def test_a_block_is_never_shortened(make, row, shorter_s):
    make().block(3600)
    end = row.blocked_until
    make().block(shorter_s)
    assert row.blocked_until == end


def test_a_block_that_has_passed_binds_no_caller(make, row):
    row.set("blocked_until = clock_timestamp(), tat = clock_timestamp()")
    budget = make()
    assert (budget.reserve(0), budget.reserve(1)) == (0, 0)


# Settling


def test_calls_beyond_the_reservation_are_reserved_now(make):
    budget = make()
    first = reserve(budget, cost=2)
    budget.settle(reserved=2, used=12)
    assert seconds(reserve(budget, cost=2), first) == 12 * GAP_S


def test_unused_time_is_free_again_without_a_later_reservation(make):
    budget = make()
    first = reserve(budget, 20)
    budget.settle(20, 5)
    assert seconds(reserve(budget), first) == 5 * GAP_S


def test_unused_time_is_not_free_behind_a_later_reservation(make):
    first, second = make(), make()
    start = reserve(first, 20)
    assert seconds(reserve(second), start) == 20 * GAP_S
    first.settle(20, 0)
    assert seconds(reserve(second), start) == 21 * GAP_S


def test_unused_calls_no_longer_count_in_their_minute(make):
    """Not even behind a later reservation: the last one here waits for the one before, and not for a minute after ours."""
    first, second = make(), make()
    start = reserve(first, 28)
    assert seconds(reserve(second, 1), start) == 28 * GAP_S
    first.settle(28, 0)
    assert seconds(reserve(second, 29), start) == 29 * GAP_S


def test_a_reservation_is_released_once(make):
    budget = make()
    first = reserve(budget, 20)
    budget.settle(20, 10)
    budget.settle(20, 10)
    assert seconds(reserve(budget), first) == 10 * GAP_S


def test_calls_that_were_made_count_however_often_it_is_released(make):
    """Ten calls of the minute were made: twenty-five more do not fit."""
    budget = make()
    first = reserve(budget, 20)
    budget.settle(20, 10)
    budget.settle(20, 10)
    assert seconds(reserve(budget, 25), first) == WINDOW_S


def test_released_calls_may_be_used_in_the_same_minute(make):
    """Each of four large reservations waits two seconds per call that was made, and not for the next minute."""
    budget, starts = make(), []
    for _ in range(4):
        starts.append(reserve(budget, 25))
        budget.settle(25, 1)
    assert distances(starts) == [0, GAP_S, 2 * GAP_S, 3 * GAP_S]


# The state of a reservation


def test_a_reservation_is_late_from_its_instant_on(make, row):
    budget = make()
    reserve(budget)
    assert budget.check() == (0, 0)
    before = row.now
    row.set("tat = now()")
    budget.reserve(20)  # starts at once, whatever it costs
    start = budget._thread.last_reservation.start
    late_s = budget.check()[1]
    assert 0 < late_s <= (row.now - start).total_seconds()
    assert start >= before


def test_a_settled_reservation_is_never_late(make, row):
    budget = make()
    assert budget.check() == (0, 0)
    row.set("tat = now()")
    budget.reserve(20)
    budget.settle(20, 0)
    assert budget.check() == (0, 0)


def test_the_state_has_the_seconds_until_a_block_ends(make, row):
    make().block(3600)
    assert 0 < make().check()[0] <= 3600


# The backlog


@pytest.mark.parametrize("ahead", ["tat", "blocked_until"])
def test_the_backlog_ends_with_the_last_reservation_or_block(row, ahead):
    row.set(f"{ahead} = now() + interval '1 h'")
    found = backlog(row.connection)
    assert abs((found.at + timedelta(seconds=found.seconds) - row.value(ahead)).total_seconds()) < 0.001


def test_an_idle_budget_has_no_backlog(row):
    row.set("tat = now() - interval '1 h'")
    assert backlog(row.connection).seconds == 0


def test_the_backlog_reserves_nothing(row):
    row.set("tat = now() + interval '1 h'")
    before = row.value("budget::text")
    backlog(row.connection)
    assert row.value("budget::text") == before


# The connection


def test_a_lost_connection_is_opened_anew(make, row):
    """The reservation that finds it lost fails: no reservation, no call."""
    budget = make()
    first = reserve(budget)
    row.connection.execute(
        "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with pytest.raises(psycopg.Error):
        budget.reserve(1)
    assert seconds(reserve(budget), first) == GAP_S


def test_a_closed_budget_stays_closed(make):
    budget = make()
    budget.reserve(1)
    budget.close()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        budget.reserve(1)


def test_a_missing_budget_says_what_to_run(station):
    missing = PostgresBudget(station.open, per_minute=30, name="spotify")
    for attempt in (lambda: missing.reserve(1), lambda: missing.reserve(0), lambda: missing.block(1)):
        with pytest.raises(psycopg.DataError, match="no row spotify: run `wxyc migrate`"):
            attempt()
    missing.close()
