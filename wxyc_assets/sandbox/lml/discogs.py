"""The simulated Discogs behind the sandbox LML: a shared rate limit, a cache, and slow calls."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wxyc_assets.sandbox.lml.call_log import NS_PER_S, CallLog
from wxyc_assets.sandbox.lml.release_cache import ReleaseCache

BreakerState = Literal["closed", "open", "half_open"]


@dataclass(frozen=True)
class DiscogsConfig:
    """How the simulated Discogs behaves.

    At most ``limit_calls`` calls start in any ``limit_window_s`` seconds; the others wait, first come first served.
    None means no limit. At most ``max_concurrent`` calls run at once, each for ``call_latency_ms``. The first
    ``cold_items`` releases that callers request miss the cache and all others hit it: 0 means all hit, None all miss.
    ``cache_file`` keeps the cache for the next server.
    """

    limit_calls: int | None = 50
    limit_window_s: float = 60.0
    max_concurrent: int = 5
    call_latency_ms: float = 50.0
    cold_items: int | None = 20
    cache_file: Path | None = None


class SlidingWindow:
    """At most ``limit`` starts in any half-open window of ``window_ns``. Pure: time is an argument."""

    def __init__(self, limit: int | None, window_ns: int) -> None:
        self._limit = limit
        self._window_ns = window_ns
        self._starts: deque[int] = deque(maxlen=limit or 0)

    def wait_ns(self, now_ns: int) -> int:
        """Return how long the next start has to wait; 0 if it may start now."""
        if self._limit is None or len(self._starts) < self._limit:
            return 0
        return max(0, self._starts[0] + self._window_ns - now_ns)

    def start(self, now_ns: int) -> None:
        """Count a start that ``wait_ns`` allowed."""
        self._starts.append(now_ns)


@dataclass
class CacheStats:
    """Cache hits, cache misses and Discogs calls of one request, for its ``cache_stats``."""

    endpoint: str
    hits: int = 0
    misses: int = 0
    api_calls: int = 0
    api_time_ms: float = 0.0


class SimulatedDiscogs:
    """The Discogs that all requests of one server share, on its event loop; any thread may read the counts.

    ``clock_ns`` is monotonic and ``sleep`` takes seconds; a test of the limit replaces both. ``breaker_state`` is LML's circuit
    breaker in front of Discogs, as ``/health`` shows it; None: LML has none. Unless it is closed, no call is made.
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
        self.breaker_state: BreakerState | None = "closed"
        self.asked = 0
        self.longest_wait_ms = 0.0
        self._sleep = sleep
        self._window = SlidingWindow(config.limit_calls, window_ns)
        self._slots = asyncio.Semaphore(config.max_concurrent)
        self._start_lock = asyncio.Lock()
        self.cache = ReleaseCache(config.cold_items, config.cache_file)

    @property
    def suspended(self) -> bool:
        """Whether LML's breaker keeps it from calling."""
        return self.breaker_state in {"open", "half_open"}

    async def call(self, stats: CacheStats) -> None:
        """Make one call: wait for a free slot and for the limit, then take the configured time.

        A caller that is cancelled while it waits makes no call, and delays no caller behind it.
        """
        self.asked += 1
        asked_ns = self.clock_ns()
        async with self._slots:
            started_ns = await self._start()
            self.log.record(started_ns, stats.endpoint)
            stats.api_calls += 1
            self.longest_wait_ms = max(self.longest_wait_ms, (started_ns - asked_ns) / 1e6)
            await self._sleep(self.config.call_latency_ms / 1000)
        stats.api_time_ms += (self.clock_ns() - asked_ns) / 1e6

    async def _start(self) -> int:
        # asyncio's lock is fair, so callers start first come first served. The holder reserves nothing in the window.
        async with self._start_lock:
            while wait_ns := self._window.wait_ns(self.clock_ns()):
                await self._sleep(wait_ns / NS_PER_S)
            now_ns = self.clock_ns()
            self._window.start(now_ns)
            return now_ns
