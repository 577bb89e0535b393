"""Drains shards: sends several batches to LML at once, and writes each while later ones are in flight."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

import psycopg

from wxyc_assets.assets.album_metadata import store
from wxyc_assets.assets.album_metadata.asked_names import AskedNames, Repeat
from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.lml_requests import Lookup, Reply, request_lookups
from wxyc_assets.assets.album_metadata.plan import IN_FLIGHT, Plan
from wxyc_assets.assets.album_metadata.run_log import BatchLog
from wxyc_assets.assets.album_metadata.verdicts import Album, Outcome, withdraw_doubtful
from wxyc_assets.runs.bisecting_call import IsolatingCaller
from wxyc_assets.runs.bisecting_write import database_problem
from wxyc_assets.runs.breaker_watch import BreakerOpenError, BreakerWatch
from wxyc_assets.runs.progress import Progress
from wxyc_assets.runs.shard_drain import ShardDrain, ShardState
from wxyc_assets.runs.worker_pool import WorkerPool, wait_for_result


class Writer(Protocol):
    """Writes the outcomes of a shard; ``tallied`` is what it has committed so far."""

    tallied: Counters

    def write(
        self, albums: Sequence[Album], outcomes: Sequence[Outcome], extra: Counters, batch: int = 0
    ) -> list[Outcome]:
        """Write a batch, number ``batch`` of the run, and return the outcomes as they were written."""

    def complete(self) -> None:
        """Record that the shard was processed to its end."""


@dataclass(frozen=True)
class _Batch:
    """A batch with its answer in flight.

    Attributes:
        shard: its shard.
        index: its number within the run, from 1.
        inputs: its albums.
        asked: those that LML is asked about.
        repeats: those that share the answer about another album of the run.
        answer: the answer; None if no album of the batch is left to ask about.
        read_ms: how long reading its albums took.
        problem: at the end of a shard, why its batches could not be read to their end.
        last: whether this is the marker behind a shard's last batch.
        remaining: how many questions of the plan are in later batches.
    """

    shard: int
    index: int = 0
    inputs: store.LookupInputs = field(default_factory=lambda: store.LookupInputs((), Counters()))
    asked: Sequence[Album] = ()
    repeats: Sequence[Repeat] = ()
    answer: Future[Reply] | None = None
    read_ms: float = 0.0
    problem: str = ""
    last: bool = False
    remaining: int = 0


def _record_nothing(_questions: int) -> None:
    """Record nothing."""


@dataclass
class Drain(ShardDrain[_Batch, Writer]):
    """Drains all shards of a run over one connection.

    ``breaker`` pauses the drain while LML cannot ask Discogs. ``record_remaining`` records how many questions are left.
    """

    connection: psycopg.Connection
    plan: Plan
    lml: Lookup
    writer_for: Callable[[psycopg.Connection, int], Writer]
    batches_log: BatchLog
    progress: Progress
    retry_after: timedelta
    budget_ms: int
    breaker: BreakerWatch
    in_flight: int = IN_FLIGHT
    record_remaining: Callable[[int], None] = _record_nothing
    stopping: threading.Event = field(default_factory=threading.Event)
    caller: IsolatingCaller = field(default_factory=IsolatingCaller)
    names: AskedNames = field(init=False)

    def __post_init__(self) -> None:
        self.names = AskedNames(self.plan.repeated_names)

    def writer(self, shard: int) -> Writer:
        """Return the writer of a shard."""
        return self.writer_for(self.connection, shard)

    def batches(self, states: Mapping[int, ShardState[Writer]], pool: WorkerPool[Reply]) -> Iterator[_Batch]:
        """Read the batches of each shard and send each to LML; stop reading a shard whose earlier batch was not written."""
        index = 0
        size = self.plan.batch_size
        remaining = self.plan.questions
        for shard, state in states.items():
            shard_plan = self.plan.shards[shard]
            ids = shard_plan.album_ids
            problem = self._count_not_asked(shard, state)
            for start in range(0, 0 if problem else len(ids), size):
                if state.problem:
                    break
                try:
                    if shard_plan.questions(start, size):
                        self.breaker.wait()
                    batch = self._send(shard, index + start // size + 1, ids[start : start + size], pool)
                except psycopg.Error as error:
                    problem = database_problem(error)
                    break
                except BreakerOpenError as error:
                    problem = str(error)
                    break
                yield replace(batch, remaining=remaining - shard_plan.questions(0, start + size))
            index += shard_plan.batches(size)
            remaining -= shard_plan.questions()
            yield _Batch(shard, problem=problem, last=True)

    def take(self, batch: _Batch, state: ShardState[Writer]) -> None:
        """Write one batch once its answer has arrived."""
        albums = len(batch.inputs.albums) + batch.inputs.not_asked.scanned
        try:
            reply = wait_for_result(batch.answer) if batch.answer else None
            if reply:
                self._withdraw_doubtful(reply)
            state.inputs_read += albums
            self._write(batch, reply, state.writer)
            self.record_remaining(batch.remaining)
        except psycopg.Error as error:
            state.problem = database_problem(error)
            self.batches_log.log_shard_failed(batch.shard, state.problem)
        self.progress.advance(albums)

    def _count_not_asked(self, shard: int, state: ShardState[Writer]) -> str:
        """Count the albums that the shard does not ask about; return why the database refused that, empty if it did not."""
        not_asked = self.plan.shards[shard].not_asked
        if not not_asked.scanned:
            return ""
        try:
            state.writer.write((), (), not_asked)
        except psycopg.Error as error:
            return database_problem(error)
        state.inputs_read += not_asked.scanned
        return ""

    def _send(self, shard: int, index: int, album_ids: Sequence[int], pool: WorkerPool[Reply]) -> _Batch:
        began = time.monotonic()
        inputs = store.lookup_inputs(self.connection, album_ids, as_of=self.plan.as_of, retry_after=self.retry_after)
        read_ms = (time.monotonic() - began) * 1000
        asked = self.names.first_of_each(inputs.albums)
        answer = None
        if asked:
            answer = pool.submit(lambda: request_lookups(self.lml, asked, self.budget_ms, self.caller))
            self.names.record(asked, answer)
        return _Batch(shard, index, inputs, asked, self.names.repeats(inputs.albums, asked), answer, read_ms)

    def _withdraw_doubtful(self, reply: Reply) -> None:
        """Believe that LML does not know an album only if its breaker is closed after the answer.

        While it is open, LML answers that it knows nothing. One look serves all answers that arrived before it.
        """
        outcomes = reply.classification.outcomes
        if any(one.doubtful for one in outcomes) and self.breaker.is_open(reply.arrived_s):
            withdraw_doubtful(outcomes)

    def _write(self, batch: _Batch, reply: Reply | None, writer: Writer) -> None:
        log = self.batches_log
        albums = batch.inputs.albums
        outcomes = [repeat.outcome() for repeat in batch.repeats]
        extra = batch.inputs.not_asked.plus(batches=1)
        if reply:
            outcomes = reply.classification.outcomes + outcomes
            extra += reply.call_counters.plus(answers_untrusted=len(reply.classification.surplus))
            log.log_reply(batch.asked, reply)
        log.log_outcomes(outcomes)
        before = writer.tallied
        began = time.monotonic()
        log.log_writer_errors(writer.write(albums, outcomes, extra, batch.index))
        took_ms = batch.read_ms + extra.lml_total_latency_ms + (time.monotonic() - began) * 1000
        log.log_done(batch.index, len(albums), writer.tallied - before, took_ms)
