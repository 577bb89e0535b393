"""The simulated Discogs behind the sandbox LML: a rate limit that all callers share, a cache, and slow calls."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from wxyc_assets.sandbox.lml.call_log import NS_PER_S, CallLog


@dataclass(frozen=True)
class DiscogsConfig:
    """How the simulated Discogs behaves.

    ``limit_calls`` calls start in any ``limit_window_s`` seconds, and the others wait their turn, first come first
    served; None counts without holding back. At most ``max_concurrent`` run at once, each for ``call_latency_ms``.
    ``cold_items`` releases miss the cache when they are first asked for, every other is warm: 0 is all warm, None all
    cold.
    """

    limit_calls: int | None = 50
    limit_window_s: float = 60.0
    max_concurrent: int = 5
    call_latency_ms: float = 50.0
    cold_items: int | None = 20


class SlidingWindow:
    """At most ``limit`` starts in any half-open window of ``window_ns``. Pure: time is an argument."""

    def __init__(self, limit: int | None, window_ns: int) -> None:
        self._limit = limit
        self._window_ns = window_ns
        self._starts: deque[int] = deque(maxlen=limit or 0)

    def wait_ns(self, now_ns: int) -> int:
        """Return how long the next start has to wait, 0 when it may go now."""
        if self._limit is None or len(self._starts) < self._limit:
            return 0
        return max(0, self._starts[0] + self._window_ns - now_ns)

    def start(self, now_ns: int) -> None:
        """Count a start that ``wait_ns`` allowed."""
        self._starts.append(now_ns)


@dataclass
class Spend:
    """What one request took from the cache and from Discogs, for its ``cache_stats``."""

    endpoint: str
    hits: int = 0
    misses: int = 0
    api_calls: int = 0
    api_time_ms: float = 0.0


class SimulatedDiscogs:
    """Shared by every request of one server, on that server's event loop; the counts may be read from any thread.

    ``clock_ns`` is monotonic and ``sleep`` takes seconds: a test of the limit replaces both.
    """

    def __init__(
        self,
        config: DiscogsConfig,
        *,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        window_ns = round(config.limit_window_s * NS_PER_S)
        self.config = config
        self.clock_ns = clock_ns
        self.started_ns = clock_ns()
        self.log = CallLog(window_ns)
        self.asked = 0
        self.longest_wait_ms = 0.0
        self._sleep = sleep
        self._window = SlidingWindow(config.limit_calls, window_ns)
        self._places = asyncio.Semaphore(config.max_concurrent)
        self._head_of_queue = asyncio.Lock()
        self._cold: set[str] = set()
        self._warmed: set[str] = set()

    def is_cached(self, release: str) -> bool:
        """Whether ``release`` needs no call; one that does stays cold until ``warm``, however often it is asked for."""
        if release in self._warmed:
            return True
        if release not in self._cold:
            if self.config.cold_items is not None and len(self._cold) >= self.config.cold_items:
                return True
            self._cold.add(release)
        return False

    def warm(self, release: str) -> None:
        """Keep ``release`` in the cache from now on."""
        self._warmed.add(release)

    async def call(self, spend: Spend) -> None:
        """Make one call: wait for a place and for the limit, then take the configured time.

        A caller that is cancelled while it waits has spent nothing, and nobody behind it waits longer for it.
        """
        self.asked += 1
        asked_ns = self.clock_ns()
        async with self._places:
            started_ns = await self._start()
            self.log.record(started_ns, spend.endpoint)
            spend.api_calls += 1
            self.longest_wait_ms = max(self.longest_wait_ms, (started_ns - asked_ns) / 1e6)
            await self._sleep(self.config.call_latency_ms / 1000)
        spend.api_time_ms += (self.clock_ns() - asked_ns) / 1e6

    async def _start(self) -> int:
        # asyncio's lock is fair, so the queue behind it is first come first served; its holder reserves nothing.
        async with self._head_of_queue:
            while wait_ns := self._window.wait_ns(self.clock_ns()):
                await self._sleep(wait_ns / NS_PER_S)
            now_ns = self.clock_ns()
            self._window.start(now_ns)
            return now_ns
