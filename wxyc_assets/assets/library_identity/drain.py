"""Drains shards: reads pages, sends several to LML at once, and writes each while later ones are in flight."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import psycopg

from resources.postgres import Postgres
from wxyc_assets.assets.library_identity import store
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.lml_requests import Reply, Resolver, request_verdicts
from wxyc_assets.assets.library_identity.run_log import BatchLog
from wxyc_assets.assets.library_identity.verdicts import Library, claimed_id, withdraw_unresolved
from wxyc_assets.assets.library_identity.writer import Writer
from wxyc_assets.runs import ledger
from wxyc_assets.runs.bisecting_call import IsolatingCaller
from wxyc_assets.runs.bisecting_write import database_problem
from wxyc_assets.runs.breaker_watch import CLOSED_S, BreakerWatch
from wxyc_assets.runs.digest import digest
from wxyc_assets.runs.lanes import STOP_GRACE_S
from wxyc_assets.runs.partitions import SHARD_COUNT
from wxyc_assets.runs.progress import Progress
from wxyc_assets.runs.shard_drain import ShardDone, ShardDrain, ShardState
from wxyc_assets.runs.worker_pool import WorkerPool

PAGE_SIZE = 500
IN_FLIGHT = 8
"""Pages that are in flight or wait to be written at once: this bounds LML's load and the memory of a run."""

STOP_POLL_S = 0.1
"""How soon a lane that waits for LML notices that its run is being stopped."""


@dataclass(frozen=True)
class _Page:
    """A page with its answer in flight; ``last``: the marker behind a shard's last page."""

    shard: int
    libraries: Sequence[Library] = ()
    answer: Future[Reply] | None = None
    problem: str = ""

    @property
    def last(self) -> bool:
        """Whether this is the end of the shard."""
        return self.answer is None


@dataclass
class Drain(ShardDrain[_Page, Writer]):
    """Drains the shards of one lane over one connection. Once ``stopping`` is set, it waits for no further answer.

    ``breaker`` says whether LML can ask Discogs. The drain does not pause while it cannot: see docs/decisions/0025.
    """

    connection: psycopg.Connection
    selection: store.Selection
    lml: Resolver
    writer_for: Callable[[psycopg.Connection, int], Writer]
    batches_log: BatchLog
    progress: Progress
    breaker: BreakerWatch
    stopping: threading.Event = field(default_factory=threading.Event)
    page_size: int = PAGE_SIZE
    va_page_size: int = store.VA_PAGE_SIZE
    in_flight: int = IN_FLIGHT
    caller: IsolatingCaller = field(default_factory=IsolatingCaller)

    def writer(self, shard: int) -> Writer:
        """Return the writer of a shard."""
        return self.writer_for(self.connection, shard)

    def batches(self, states: Mapping[int, ShardState[Writer]], pool: WorkerPool[Reply]) -> Iterator[_Page]:
        """Read the pages of each shard and send each to LML; stop reading a shard whose earlier page could not be written."""
        for shard, state in states.items():
            problem = ""
            try:
                for page in store.pages(
                    self.connection,
                    self.selection,
                    shard=shard,
                    shard_count=SHARD_COUNT,
                    page_size=self.page_size,
                    va_page_size=self.va_page_size,
                ):
                    if state.problem:
                        break
                    yield _Page(shard, page, pool.submit(partial(request_verdicts, self.lml, page, self.caller)))
            except psycopg.Error as error:
                problem = database_problem(error)
            yield _Page(shard, problem=problem)

    def take(self, batch: _Page, state: ShardState[Writer]) -> None:
        """Write one page once its answer has arrived."""
        page = batch.libraries
        try:
            reply = self._wait_for(batch.answer) if batch.answer else None
            if reply is None:
                return
            state.inputs_read += len(page)
            self._write(page, reply, state.writer)
        except psycopg.Error as error:
            state.problem = database_problem(error)
            self.batches_log.log_shard_failed(batch.shard, state.problem)
        self.progress.advance(len(page))

    def _wait_for(self, answer: Future[Reply]) -> Reply | None:
        """Return the answer; None when the run is being stopped, since an LML call may take minutes."""
        while not self.stopping.is_set():
            if wait([answer], STOP_POLL_S).done:
                return answer.result()
        return None

    def _withdraw_doubtful(self, index: int, reply: Reply) -> None:
        """Believe that LML does not know a library only if its breaker to Discogs is closed: the marker rests for a month."""
        outcomes = reply.classification.outcomes
        if any(one.bucket == "unresolved" for one in outcomes) and self.breaker.is_open(reply.arrived_s - CLOSED_S):
            self.batches_log.log_doubtful(index, withdraw_unresolved(outcomes))

    def _write(self, page: Sequence[Library], reply: Reply, writer: Writer) -> None:
        log = self.batches_log
        index = log.next_index()
        untrusted = reply.classification.untrusted
        log.log_reply(index, reply)
        self._withdraw_doubtful(index, reply)
        before = writer.tallied
        try:
            extra = reply.call_counters.plus(answers_untrusted=len(untrusted))
            written = writer.write(reply.classification.outcomes, extra, index)
            log.log_rejected(written.outcomes)
            log.log_track_credits(index, written.track_credits)
            if untrusted:
                writer.quarantine([_rejected(page, untrusted)])
        finally:
            log.add_committed(writer.tallied - before)
        if reply.answered:
            log.log_done(index, page)


@dataclass
class DrainLane:
    """One lane of a run: a drain over some of its shards, on a connection of its own."""

    postgres: Postgres
    shards: Sequence[int]
    drain_on: Callable[[psycopg.Connection], Drain]
    _connection: psycopg.Connection | None = field(default=None, init=False)

    def run(self) -> Iterator[ShardDone[Counters]]:
        """Yield how each shard ended; without a connection no shard was started, and each is broken."""
        try:
            with self.postgres.connect() as self._connection:
                yield from self.drain_on(self._connection).run(self.shards)
        except psycopg.OperationalError as error:
            problem = database_problem(error)
            yield from (ShardDone(shard, Counters(), 0, problem) for shard in self.shards)

    def cancel(self) -> None:
        """Cancel the running statement; its page is rolled back."""
        if self._connection:
            with suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=STOP_GRACE_S)


def _rejected(page: Sequence[Library], untrusted: Sequence[object]) -> ledger.Rejected:
    ids = [claimed_id(answer) for answer in untrusted[:20]]
    first_id, last_id = page[0].library_id, page[-1].library_id
    return ledger.Rejected(
        input_id=first_id,
        kind="answers_untrusted",
        reason=f"{len(untrusted)} answers match no library of page {first_id}-{last_id}: {ids}",
        payload_digest=digest(untrusted),
        rests=False,
    )
