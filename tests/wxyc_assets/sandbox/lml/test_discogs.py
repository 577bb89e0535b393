"""The simulated Discogs: its rate limit on a virtual clock, and its cache."""

import asyncio
import heapq
import itertools

import pytest

from wxyc_assets.sandbox.lml.call_log import NS_PER_S
from wxyc_assets.sandbox.lml.discogs import CacheStats, DiscogsConfig, SimulatedDiscogs


class VirtualTime:
    """A clock that moves on only when all tasks sleep."""

    def __init__(self):
        self.now_ns = 0
        self._sleepers = []
        self._order = itertools.count()

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now_ns + round(seconds * NS_PER_S), next(self._order), woken))
        await woken

    async def run(self, *work):
        tasks = [asyncio.ensure_future(one) for one in work]
        while not all(task.done() for task in tasks):
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleepers:
                at_ns, _, woken = heapq.heappop(self._sleepers)
                if not woken.done():
                    self.now_ns = max(self.now_ns, at_ns)
                    woken.set_result(None)
        return [task.result() for task in tasks]


@pytest.fixture
def clock():
    return VirtualTime()


def simulated(clock, **config):
    return SimulatedDiscogs(DiscogsConfig(**config), clock_ns=lambda: clock.now_ns, sleep=clock.sleep)


def starts_s(discogs):
    return [call.at_ns / NS_PER_S for call in discogs.log.recent()]


def test_no_window_has_more_calls_than_the_limit(clock):
    discogs = simulated(clock, limit_calls=50, call_latency_ms=50)
    asyncio.run(clock.run(*(discogs.call(CacheStats("lookup")) for _ in range(175))))
    starts_ns = [call.at_ns for call in discogs.log.recent()]
    assert len(starts_ns) == 175
    assert discogs.log.peak == 50
    assert all(later - earlier >= 60 * NS_PER_S for earlier, later in zip(starts_ns, starts_ns[50:], strict=False))
    assert starts_ns[49] < NS_PER_S  # calls start at once while the window has room
    assert 180 * NS_PER_S <= starts_ns[-1] < 182 * NS_PER_S


def test_live_callers_and_jobs_share_one_limit(clock):
    discogs = simulated(clock, limit_calls=3, max_concurrent=10)
    job, live = CacheStats("refresh-for-identities"), CacheStats("lookup")
    asyncio.run(clock.run(*(discogs.call(job) for _ in range(3)), discogs.call(live)))
    assert (job.api_calls, live.api_calls) == (3, 1)
    assert starts_s(discogs) == [0, 0, 0, 60]
    assert discogs.longest_wait_ms == 60_000
    assert live.api_time_ms == 60_050


def test_calls_start_first_come_first_served(clock):
    discogs = simulated(clock, limit_calls=2, max_concurrent=3)
    served = []

    async def caller(name):
        await discogs.call(CacheStats("lookup"))
        served.append(name)

    asyncio.run(clock.run(*(caller(name) for name in range(9))))
    assert served == list(range(9))


def test_a_new_caller_queues_behind_those_that_wait(clock):
    """Even if the caller arrives at the very moment at which the window has room."""
    discogs = simulated(clock, limit_calls=1, max_concurrent=10)
    served = []

    async def caller(name, arrives_s):
        if arrives_s:
            await clock.sleep(arrives_s)
        await discogs.call(CacheStats("lookup"))
        served.append(name)

    asyncio.run(clock.run(caller("first", 0), caller("late", 120), caller("second", 0), caller("third", 0)))
    assert served == ["first", "second", "third", "late"]


def test_at_most_max_concurrent_calls_run_at_once(clock):
    discogs = simulated(clock, max_concurrent=5, call_latency_ms=1000)
    asyncio.run(clock.run(*(discogs.call(CacheStats("lookup")) for _ in range(12))))
    assert starts_s(discogs) == [0] * 5 + [1] * 5 + [2] * 2


def test_a_cancelled_caller_makes_no_call_and_delays_no_other(clock):
    discogs = simulated(clock, limit_calls=1, max_concurrent=10)
    stats = [CacheStats("lookup") for _ in range(4)]

    async def with_one_cancelled():
        tasks = [asyncio.ensure_future(discogs.call(one)) for one in stats]
        for _ in range(20):
            await asyncio.sleep(0)
        tasks[1].cancel()  # the first in the queue, asleep until its turn
        await clock.run(asyncio.gather(*tasks, return_exceptions=True))

    asyncio.run(with_one_cancelled())
    assert [one.api_calls for one in stats] == [1, 0, 1, 1]
    assert starts_s(discogs) == [0, 60, 120]
    assert (discogs.asked, discogs.log.total) == (4, 3)


def test_without_a_limit_calls_are_counted_and_never_wait(clock):
    discogs = simulated(clock, limit_calls=None, max_concurrent=1000, call_latency_ms=0)
    asyncio.run(clock.run(*(discogs.call(CacheStats("lookup")) for _ in range(80))))
    assert discogs.log.peak == 80
    assert clock.now_ns == 0


def test_the_first_cold_items_miss_and_all_others_hit(clock):
    discogs = simulated(clock, cold_items=2)
    assert [name in discogs.cache for name in "abcd"] == [False, False, True, True]


def test_a_release_stays_cold_until_it_is_warmed(clock):
    discogs = simulated(clock, cold_items=2)
    assert ["a" in discogs.cache, "a" in discogs.cache] == [False, False]
    discogs.cache.warm("a")
    assert "a" in discogs.cache
    assert "b" not in discogs.cache


@pytest.mark.parametrize(("cold_items", "cached"), [(0, True), (None, False)])
def test_the_cache_can_start_all_warm_or_all_cold(clock, cold_items, cached):
    discogs = simulated(clock, cold_items=cold_items)
    assert {str(number) in discogs.cache for number in range(500)} == {cached}
