"""Drains the batches: a few LML calls run in parallel, and each batch is tallied while later calls are in flight."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from wxyc_assets.assets.rotation_cache.lml_requests import Refresher, Reply, request_refresh
from wxyc_assets.assets.rotation_cache.plan import Plan
from wxyc_assets.assets.rotation_cache.run_log import BatchLog
from wxyc_assets.assets.rotation_cache.tally import Tally
from wxyc_assets.runs.bisecting_call import IsolatingCaller
from wxyc_assets.runs.breaker_watch import BreakerOpenError, BreakerWatch
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.runs.progress import Progress
from wxyc_assets.runs.worker_pool import WorkerPool, prefetch, wait_for_result


@dataclass(frozen=True)
class _SentBatch:
    """A batch whose LML call is in flight."""

    identity_ids: Sequence[int]
    answer: Future[Reply]


@dataclass
class Drain:
    """All batches of one plan.

    Attributes:
        tally: the counts, also after an exception.
        breaker: pauses the drain while LML cannot ask Discogs, because a refresh is nothing but calls to Discogs.
        gave_up: why the drain sent no further batch; empty if it sent all.
    """

    plan: Plan
    lml: Refresher
    tally: Tally
    batch_log: BatchLog
    progress: Progress
    discogs_rate: DiscogsRate
    breaker: BreakerWatch
    caller: IsolatingCaller = field(default_factory=IsolatingCaller)
    gave_up: str = field(default="", init=False)

    def run(self) -> None:
        """Ask LML to warm every identity. A failed batch stops no other; an open breaker of LML stops those that follow.

        Raises psycopg.Error if the database is lost.
        """
        in_flight = self.plan.batching.in_flight
        left = len(self.plan.identity_ids)
        pool: WorkerPool[Reply] = WorkerPool(in_flight)
        try:
            for sent in prefetch(self._send(pool), in_flight):
                reply = wait_for_result(sent.answer)
                left -= len(sent.identity_ids)
                self.batch_log.log_reply(reply)
                calls_left = self.discogs_rate.calls(left)
                self.tally.add(reply.classification.outcomes, reply.call_counters, calls_left=calls_left)
                self.progress.advance(len(sent.identity_ids))
            if not self.gave_up:
                self.tally.complete()
        finally:
            pool.shutdown()

    def _send(self, pool: "WorkerPool[Reply]") -> Iterator[_SentBatch]:
        for batch in self.plan.batches:
            try:
                self.breaker.wait()
            except BreakerOpenError as error:
                self.gave_up = str(error)
                return
            yield _SentBatch(batch, pool.submit(lambda batch=batch: request_refresh(self.lml, batch, self.caller)))  # type: ignore[misc]
