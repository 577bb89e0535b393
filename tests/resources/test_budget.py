import multiprocessing
import threading
import time

import psycopg
import pytest

from resources.budget import PostgresBudget

PER_MINUTE = 1500
GAP_S = 60 / PER_MINUTE
SLACK_S = 0.03  # between the database's clock and ours, read one after the other on a busy machine
_spawn = multiprocessing.get_context("spawn")


class Now:
    """A budget, and for each reservation the instant at which its call may start."""

    def __init__(self, postgres, per_minute=PER_MINUTE):
        self.budget = PostgresBudget(postgres.open, per_minute=per_minute)

    def start(self, cost=1.0):
        wait_s = self.budget.reserve(cost)
        return time.time() + wait_s


@pytest.fixture
def make(station):
    made = []

    def one(**options):
        made.append(Now(station, **options))
        return made[-1]

    yield one
    for now in made:
        now.budget.close()


def _most_in_any(window_s, starts):
    """Return the most starts that surely fell into one window of that length, from (earliest, latest) of each."""
    return max(sum(first <= early and late <= first + window_s for early, late in starts) for first, _ in starts)


def _reserve_many(postgres, count, path):
    """Write the earliest and latest instant of each start into a file, a line at a time: a kill costs one line at most."""
    budget = PostgresBudget(postgres.open, per_minute=PER_MINUTE)
    with path.open("a", buffering=1) as written:
        for _ in range(count):
            asked = time.time()
            wait_s = budget.reserve(1)
            written.write(f"{asked + wait_s} {time.time() + wait_s}\n")
            time.sleep(0.002)


def _starts(path):
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [tuple(map(float, line.split())) for line in lines if line.endswith("\n")]


def test_at_most_one_more_than_the_budget_falls_into_any_window_over_processes_and_a_kill(station, tmp_path):
    paths = [tmp_path / str(number) for number in range(4)]
    counts = [10**6, 80, 80, 80]
    doomed, *living = [
        _spawn.Process(target=_reserve_many, args=(station, count, path), daemon=True)
        for count, path in zip(counts, paths, strict=True)
    ]
    for process in [doomed, *living]:
        process.start()
    while len(_starts(paths[0])) < 20:
        time.sleep(0.01)
    doomed.kill()
    for process in [doomed, *living]:
        process.join()
    starts = [start for path in paths for start in _starts(path)]
    assert len(starts) >= 260
    for calls in (1, 10, 100):  # the promise for a minute, at the scale of this test
        assert _most_in_any(calls * GAP_S, starts) <= calls + 1
    assert _most_in_any(101 * GAP_S, starts) >= 90  # and the budget is used


def test_no_burst_after_idling(make):
    now = make()
    now.start()
    time.sleep(10 * GAP_S)
    starts = [now.start() for _ in range(20)]
    assert starts[-1] - starts[0] == pytest.approx(19 * GAP_S, abs=SLACK_S)


def test_the_first_call_of_an_idle_budget_waits_for_nothing(make):
    assert make().budget.reserve(1) == 0


def test_a_call_takes_the_room_of_its_cost(make):
    now = make()
    first, behind = now.start(cost=10), now.start()
    assert behind - first == pytest.approx(10 * GAP_S, abs=SLACK_S)


@pytest.mark.parametrize("per_minute", [0.5, 30, 1e6])
def test_any_positive_rate_spaces_calls_accordingly(make, per_minute):
    now = make(per_minute=per_minute)
    first = now.start(cost=100)
    assert now.start() - first == pytest.approx(100 * 60 / per_minute, abs=SLACK_S)


def test_a_call_that_costs_nothing_does_not_queue(make):
    now = make()
    now.start(cost=10_000)
    assert now.budget.reserve(0) == 0
    assert now.budget.reserve(1) == pytest.approx(400, abs=1)


def test_a_block_holds_back_everybody_and_calls_behind_it_are_spaced(make):
    ours, theirs = make(), make()
    ours.budget.penalise(5)
    end = time.time() + 5
    assert ours.budget.reserve(0) == pytest.approx(5, abs=0.2)
    assert theirs.budget.reserve(0) == pytest.approx(5, abs=0.2)
    starts = [now.start() for now in (theirs, ours, theirs)]
    assert starts == pytest.approx([end, end + GAP_S, end + 2 * GAP_S], abs=0.2)
    assert starts[2] - starts[0] == pytest.approx(2 * GAP_S, abs=SLACK_S)


def test_a_block_is_never_shortened_and_passes(make):
    now = make()
    now.budget.penalise(5)
    now.budget.penalise(0.05)
    assert now.budget.reserve(0) == pytest.approx(5, abs=0.2)
    other = make()
    other.budget.penalise(-100)
    assert other.budget.reserve(0) == pytest.approx(5, abs=0.2)


def test_a_block_that_has_passed_holds_nobody(make):
    now = make()
    now.budget.penalise(0.05)
    time.sleep(0.06)
    assert (now.budget.reserve(0), now.budget.reserve(1)) == (0, 0)


def test_overuse_is_booked(make):
    now = make()
    first = now.start(cost=2)
    now.budget.settle(reserved=2, used=12)
    second = now.start(cost=2)
    assert second - first == pytest.approx(12 * GAP_S, abs=SLACK_S)


def test_the_zone_of_a_session_does_not_matter(station, make):
    def in_kolkata():
        connection = station.open()
        connection.execute("SET timezone TO 'Asia/Kolkata'")
        return connection

    elsewhere = PostgresBudget(in_kolkata, per_minute=PER_MINUTE)
    here = make().budget
    waits = [budget.reserve(1) for budget in (here, elsewhere, here, elsewhere)]
    assert waits == pytest.approx([0, GAP_S, 2 * GAP_S, 3 * GAP_S], abs=1)  # a zone would be off by hours
    elsewhere.penalise(3)
    assert here.reserve(0) == pytest.approx(3, abs=0.2)
    elsewhere.close()


def test_threads_share_one_budget(make):
    now, starts = make(), []
    threads = [threading.Thread(target=lambda: starts.append(now.start())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(starts) - min(starts) == pytest.approx(7 * GAP_S, abs=0.03)


def test_a_lost_connection_is_opened_anew(station, make):
    now = make()
    now.start()
    with station.connect() as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises(psycopg.Error):  # no reservation, no call
        now.budget.reserve(1)
    assert now.budget.reserve(1) < 1


def test_a_closed_budget_stays_closed(make):
    now = make()
    now.start()
    now.budget.close()
    with pytest.raises(psycopg.OperationalError, match="closed"):
        now.budget.reserve(1)


def test_a_budget_that_is_not_there_says_what_to_do(station):
    missing = PostgresBudget(station.open, per_minute=30, name="spotify")
    for attempt in (lambda: missing.reserve(1), lambda: missing.reserve(0), lambda: missing.penalise(1)):
        with pytest.raises(psycopg.DataError, match="no row spotify: run `wxyc migrate`"):
            attempt()
    missing.close()


def test_what_a_call_did_not_use_is_given_back_if_nothing_was_reserved_behind_it(make):
    now = make(per_minute=60)
    now.budget.reserve(30)
    now.budget.settle(30, 10)
    assert now.budget.reserve(1) == pytest.approx(10, abs=0.5)


def test_what_a_call_did_not_use_is_not_given_back_once_somebody_stands_behind_it(make):
    first, second = make(per_minute=60), make(per_minute=60)
    first.budget.reserve(30)
    second.budget.reserve(1)
    first.budget.settle(30, 0)
    assert second.budget.reserve(1) == pytest.approx(31, abs=0.5)


def test_a_reservation_is_given_back_once(make):
    now = make(per_minute=60)
    now.budget.reserve(30)
    now.budget.settle(30, 20)
    now.budget.settle(30, 20)
    assert now.budget.reserve(1) == pytest.approx(20, abs=0.5)


def _spent_in_any_minute(spent):
    """Return the most that falls into one minute, of (instant, cost) in order."""
    return max(sum(cost for later, cost in spent if at <= later < at + 60) for at, _ in spent)


@pytest.mark.parametrize(
    "costs",
    [
        [28] * 8,
        [1] * 29 + [28] + [1] * 60,
        [20, 20, 5, 5, 20, 1, 30, 30, 1, 1, 29, 2] * 3,
        [12.5, 0.25] * 30,
    ],
)
def test_no_minute_holds_more_than_the_budget_and_one_whatever_the_calls_cost(make, costs):
    now = make(per_minute=30)
    spent = [(now.start(cost), cost) for cost in costs]
    assert _spent_in_any_minute(spent) <= 31


def test_a_call_that_costs_more_than_a_minute_stands_alone(make):
    now = make(per_minute=30)
    before, large, after = now.start(1), now.start(100), now.start(1)
    assert large - before == pytest.approx(60, abs=0.2)
    assert after - large == pytest.approx(200, abs=0.2)


@pytest.mark.parametrize(("cost", "calls", "minutes"), [(1, 120, 4), (5, 24, 4), (7.5, 16, 4)])
def test_calls_that_fit_the_minute_use_all_of_it(make, cost, calls, minutes):
    now = make(per_minute=30)
    first = now.start(cost)
    last = [now.start(cost) for _ in range(calls)][-1]
    assert last - first == pytest.approx(minutes * 60, rel=0.01)


def test_a_fast_budget_is_remembered_in_few_entries(station, make):
    now = make(per_minute=60_000)
    for _ in range(1200):
        now.budget.reserve(30)
    with station.connect() as connection:
        (entries,) = connection.execute("SELECT cardinality(recent_at) FROM wxyc_assets.budget").fetchone()
    assert entries < 600


def test_what_was_given_back_may_be_used_in_the_same_minute(make):
    now = make(per_minute=30)
    for _ in range(4):
        assert now.budget.reserve(25) < 7  # two seconds a call that was made
        now.budget.settle(25, 1)


def test_what_a_call_did_not_use_no_longer_counts_in_its_minute_whoever_stands_behind_it(make):
    first, second = make(per_minute=30), make(per_minute=30)
    first.budget.reserve(28)
    assert second.budget.reserve(1) == pytest.approx(56, abs=0.5)
    first.budget.settle(28, 0)
    assert second.budget.reserve(29) == pytest.approx(
        58, abs=0.5
    )  # behind the one before, and no longer a minute behind ours
