"""The budget's promise when callers pause: stopped processes, suspended machines, long collections of garbage."""

import multiprocessing
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from pydantic import SecretStr

from resources.budget import LATE_S, PostgresBudget
from resources.lml.call_executor import CallExecutor
from resources.lml.config import LmlConfig
from resources.lml.endpoints import BULK_LOOKUP
from resources.lml.reservation import Reservations
from resources.postgres import Postgres
from tests.resources.lml.executor_calls import GIVE_UP_S, call, in_threads
from tests.waiting import wait_for

_spawn = multiprocessing.get_context("spawn")

# A process that is really stopped

CALLS = 12
PER_MINUTE = 1200.0


def call_in_threads(postgres: Postgres, url: str, ready: Any, go: Any) -> None:
    budget = PostgresBudget(postgres.open, per_minute=PER_MINUTE)
    budget.reserve(0)  # opens the connection
    ready.set()
    go.wait()
    executor = CallExecutor(LmlConfig(url, SecretStr("key")), budget=budget)
    in_threads(CALLS, lambda: call(executor, BULK_LOOKUP, cost=1.0))


@pytest.fixture
def row(station) -> Iterator[psycopg.Connection]:
    with psycopg.connect(station.dsn, autocommit=True) as connection:
        yield connection


def holds(row: psycopg.Connection, condition: str) -> bool:
    found = row.execute(f"SELECT {condition} FROM wxyc_assets.budget").fetchone()
    return bool(found and found[0])


def test_a_stopped_process_makes_no_call_of_its_old_minute(station, row, lml):
    """SIGSTOP while every call waits; other callers take the next hour; SIGCONT: each call reserves behind that hour."""
    ready, go = _spawn.Event(), _spawn.Event()
    process = _spawn.Process(target=call_in_threads, args=(station, lml.url, ready, go), daemon=True)
    process.start()
    assert process.pid
    try:
        assert ready.wait(GIVE_UP_S)
        row.execute("UPDATE wxyc_assets.budget SET tat = clock_timestamp() + interval '10 s'")
        go.set()
        wait_for(lambda: holds(row, f"cardinality(recent_at) = {CALLS}"), "reservation of each call")
        os.kill(process.pid, signal.SIGSTOP)
        assert holds(row, "clock_timestamp() < recent_at[1]"), "the machine was too slow to stop the process in time"
        row.execute("UPDATE wxyc_assets.budget SET tat = clock_timestamp() + interval '1 h'")
        over = f"clock_timestamp() > recent_at[{CALLS}] + interval '{2 * LATE_S} s'"
        wait_for(lambda: holds(row, over), "end of the reserved minute")
        os.kill(process.pid, signal.SIGCONT)
        behind = "(SELECT count(*) FROM unnest(recent_at) r WHERE r > clock_timestamp() + interval '30 min')"
        wait_for(lambda: holds(row, f"{behind} = {CALLS}"), "new reservation of each call")
        assert lml.seen == []
    finally:
        process.kill()
        process.join()


# A controlled clock: virtual time for the callers and for the database


class VirtualTime:
    """Threads that run one at a time and sleep in virtual seconds; ``changed`` receives each new time."""

    def __init__(self, changed: Callable[[float], None]) -> None:
        self.now = 0.0
        self._changed = changed
        self._asleep: dict[threading.Event, float] = {}
        self._idle = threading.Semaphore(0)

    def sleep(self, seconds: float) -> None:
        awake = threading.Event()
        self._asleep[awake] = self.now + seconds
        self._idle.release()
        awake.wait()

    def run(self, programs: list[Callable[[], None]]) -> None:
        """Run the programs, each in a thread of its own, to their ends."""

        def whole(program: Callable[[], None]) -> None:
            try:
                program()
            finally:
                self._idle.release()

        for program in programs:
            threading.Thread(target=whole, args=(program,), daemon=True).start()
            self._idle.acquire()
        while self._asleep:
            awake = min(self._asleep, key=lambda event: self._asleep[event])
            self.now = max(self.now, self._asleep.pop(awake))
            self._changed(self.now)
            awake.set()
            self._idle.acquire()


EPOCH = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def virtual(database: str, station, row) -> VirtualTime:
    """The time of this test's station: its sessions see a ``clock_timestamp`` that the test moves."""
    row.execute("CREATE SCHEMA virtual")
    row.execute("CREATE TABLE virtual.clock (now timestamptz NOT NULL)")
    row.execute("INSERT INTO virtual.clock VALUES (%s)", [EPOCH])
    row.execute(
        "CREATE FUNCTION virtual.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS 'SELECT now FROM virtual.clock'"
    )
    row.execute("UPDATE wxyc_assets.budget SET tat = %s, blocked_until = %s", [EPOCH, EPOCH])
    return VirtualTime(lambda now: row.execute("UPDATE virtual.clock SET now = %s", [EPOCH + timedelta(seconds=now)]))


@pytest.mark.parametrize("seed", range(4))
def test_no_minute_exceeds_the_budget_whatever_callers_pause(station, virtual, seed):
    """Eight callers make calls of many costs; each pauses now and then for up to three minutes, anywhere before its call."""
    chance = random.Random(seed)
    budgets: list[PostgresBudget] = []
    calls: list[tuple[float, float]] = []

    def connect() -> psycopg.Connection:
        connection: psycopg.Connection = station.open()
        connection.execute("SET search_path = virtual, pg_catalog")
        return connection

    def pause() -> float:
        return chance.choice([0, 0, 0, 0, 0.3, 1, 20, 70, 180])

    def caller() -> None:
        budget = PostgresBudget(connect, per_minute=30)
        budgets.append(budget)

        def wait(seconds: float) -> bool:
            virtual.sleep(seconds + pause())
            return False

        reservations = Reservations(budget, block_max_s=300, wait=wait, clock=lambda: virtual.now)
        for _ in range(12):
            cost = chance.choice([1, 1, 2.5, 7.5, 12, 28])
            reservations.acquire(cost)
            virtual.sleep(pause())
            reservations.renew(cost)
            calls.append((virtual.now, cost))
            virtual.sleep(chance.choice([0.1, 2, 30]))

    virtual.run([caller] * 8)
    for budget in budgets:
        budget.close()
    assert len(calls) == 8 * 12
    in_a_minute = [sum(cost for at, cost in calls if start <= at < start + 60) for start, _ in calls]
    assert max(in_a_minute) <= 31
    assert max(in_a_minute) > 25  # and the budget is used
