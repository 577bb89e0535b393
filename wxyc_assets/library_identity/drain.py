"""Drains shards: reads pages, asks LML about several at once, and writes each while later ones are being asked."""

import contextvars
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import psycopg

from resources.lml.errors import LmlError
from resources.lml.models import BulkResolveAnswer, LibraryInput
from resources.step_log import StepLog
from wxyc_assets import ledger
from wxyc_assets.library_identity import store
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.verdicts import Judgement, Library, Outcome, counted, digest, judge
from wxyc_assets.partitions import SHARD_COUNT
from wxyc_assets.progress import Progress

PAGE_SIZE = 500
IN_FLIGHT = 8
"""Pages that are asked, or wait to be written, at once: it bounds LML's load and a run's memory alike."""


class Resolver(Protocol):
    """The one call of LML that a drain makes."""

    def bulk_resolve_libraries(self, inputs: Sequence[LibraryInput]) -> BulkResolveAnswer:
        """Ask about a page; raises LmlError."""


class Writer(Protocol):
    """Where the outcomes of a shard go."""

    tallied: Counters

    def write(self, outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Write a page and return the outcomes as they were written."""

    def reject(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Put on record what no input can answer for."""

    def complete(self) -> None:
        """Record that the shard was walked to its end."""


@dataclass
class TallyOnly:
    """The writer of a dry run: counts, writes nothing."""

    tallied: Counters = field(default_factory=Counters)

    def write(self, outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Count a page."""
        self.tallied = self.tallied + beside + counted(outcomes)
        return list(outcomes)

    def reject(self, rejected: Sequence[ledger.Rejected]) -> None:
        """Put nothing on record."""

    def complete(self) -> None:
        """Record nothing."""


@dataclass(frozen=True)
class ShardDone:
    """How one shard ended.

    ``broken``: it was not walked to its end, and ``problem`` says why. A shard that was, but to which LML answered nothing,
    has a problem too: it cannot be credited.
    """

    shard: int
    counters: Counters
    inputs_read: int
    broken: str = ""

    @property
    def problem(self) -> str:
        """Why this shard cannot be credited, empty if it can."""
        lost_all = self.inputs_read > 0 and self.counters.lml_error == self.inputs_read
        return self.broken or ("LML answered nothing" if lost_all else "")


@dataclass(frozen=True)
class _Asked:
    """A page with its answer on the way; ``page`` is empty for the mark behind a shard's last page."""

    shard: int
    page: Sequence[Library] = ()
    answer: "Future[_Answered] | None" = None
    problem: str = ""


@dataclass(frozen=True)
class _Answered:
    """What LML said about a page, judged, and what it took."""

    judgement: Judgement
    results: int
    effort: Counters
    error: LmlError | None = None


@dataclass
class _Shard:
    writer: Writer
    inputs_read: int = 0
    problem: str = ""


@dataclass
class BatchLog:
    """Numbers the batches of a run and adds up what they committed, for all lanes together."""

    log: StepLog
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _batches: int = 0
    _committed: Counters = field(default_factory=Counters)

    def next_index(self) -> int:
        """Return the number of the batch that is being taken, from 1."""
        with self._lock:
            self._batches += 1
            return self._batches

    def add(self, committed: Counters) -> Counters:
        """Add what a batch committed; return the totals of the run so far."""
        with self._lock:
            self._committed += committed
            return self._committed


@dataclass
class Drain:
    """One lane of a run: some shards, one after the other, over one connection.

    Reading and writing take turns on ``connection``; asking waits for neither, and goes on across the end of a shard.
    """

    connection: psycopg.Connection
    selection: store.Selection
    lml: Resolver
    writer_for: Callable[[psycopg.Connection, int], Writer]
    batches: BatchLog
    progress: Progress
    stopping: threading.Event = field(default_factory=threading.Event)
    page_size: int = PAGE_SIZE
    in_flight: int = IN_FLIGHT

    def run(self, shards: Sequence[int]) -> Iterator[ShardDone]:
        """Walk every shard to its end and yield how it ended; a shard that fails never stops the others."""
        states = {shard: _Shard(self.writer_for(self.connection, shard)) for shard in shards}
        with ThreadPoolExecutor(self.in_flight, thread_name_prefix="lml") as pool:
            try:
                for asked in self._ask_ahead(shards, pool):
                    state = states[asked.shard]
                    if asked.answer is None:
                        yield self._finish(asked, state)
                    elif not state.problem:
                        self._take(asked.shard, asked.page, asked.answer, state)
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _ask_ahead(self, shards: Sequence[int], pool: ThreadPoolExecutor) -> Iterator[_Asked]:
        """Yield pages in order, each behind up to ``in_flight`` later ones that are being asked already."""
        ahead: deque[_Asked] = deque()
        for asked in self._ask(shards, pool):
            ahead.append(asked)
            while sum(item.answer is not None for item in ahead) > self.in_flight:
                yield ahead.popleft()
        yield from ahead

    def _ask(self, shards: Sequence[int], pool: ThreadPoolExecutor) -> Iterator[_Asked]:
        for shard in shards:
            problem = ""
            try:
                for page in store.pages(
                    self.connection, self.selection, shard=shard, shard_count=SHARD_COUNT, page_size=self.page_size
                ):
                    if self.stopping.is_set():
                        return
                    # The context carries the run's span to the call's own.
                    context = contextvars.copy_context()
                    yield _Asked(shard, page, pool.submit(context.run, self._answer, page))
            except psycopg.Error as error:
                problem = database_problem(error)
            yield _Asked(shard, problem=problem)

    def _answer(self, page: Sequence[Library]) -> _Answered:
        """Ask about a page and judge the answer; off the lane's thread, so that the database need not wait for either."""
        inputs = [
            LibraryInput.model_construct(
                library_id=library.library_id,
                artist_name=library.artist_name,
                album_title=library.album_title,
                legacy_release_id=library.legacy_release_id,
            )
            for library in page
        ]
        try:
            answer = self.lml.bulk_resolve_libraries(inputs)
        except LmlError as error:
            lost = [Outcome(library.library_id, "lml_error") for library in page]
            return _Answered(Judgement(lost), 0, _effort(error.calls, error.latency_ms), error)
        judgement = judge(page, answer.results)
        return _Answered(judgement, len(answer.results), _effort(answer.calls, answer.latency_ms))

    def _take(self, shard: int, page: Sequence[Library], answer: "Future[_Answered]", state: _Shard) -> None:
        """Write one page and say so."""
        state.inputs_read += len(page)
        try:
            self._write(page, answer.result(), state.writer)
        except psycopg.Error as error:
            state.problem = database_problem(error)
            self.batches.log.error("shard_failed", shard=shard, error_message=state.problem)
        self.progress.advance(len(page))

    def _write(self, page: Sequence[Library], answered: _Answered, writer: Writer) -> None:
        index = self.batches.next_index()
        judgement = answered.judgement
        report_answer(self.batches.log, index, page, answered.results, judgement, answered.error)
        before = writer.tallied
        beside = answered.effort.plus(answers_untrusted=len(judgement.untrusted))
        for outcome in writer.write(judgement.outcomes, beside):
            if outcome.bucket == "writer_error":
                self.batches.log.warning("writer_error", library_id=outcome.library_id, error_message=outcome.reason)
        if judgement.untrusted:
            writer.reject([_untrusted(page, judgement.untrusted)])
        totals = self.batches.add(writer.tallied - before)
        if not answered.error:
            self.batches.log.info("batch_done", batch_index=index, last_id=page[-1].library_id, **totals.totals())

    def _finish(self, asked: _Asked, state: _Shard) -> ShardDone:
        problem = state.problem or asked.problem
        if not problem:
            try:
                state.writer.complete()
            except psycopg.Error as error:
                problem = database_problem(error)
        return ShardDone(asked.shard, state.writer.tallied, state.inputs_read, problem)


def report_answer(
    log: StepLog,
    batch_index: int,
    page: Sequence[Library],
    results: int,
    judgement: Judgement,
    error: LmlError | None,
) -> None:
    """Log everything about an answer that is not as it should be."""
    if error:
        log.warning("lml_error", batch_index=batch_index, batch_size=len(page), error_message=str(error))
        return
    if results != len(page):
        missing = max(0, len(page) - results)
        log.warning(
            "lml_cardinality_mismatch", batch_index=batch_index, inputs=len(page), results=results, missing=missing
        )
    for answer in judgement.untrusted:
        log.warning("lml_untrusted_library_id", batch_index=batch_index, library_id=claimed_id(answer))
    for outcome in judgement.outcomes:
        if outcome.bucket == "contract_violation":
            log.warning("contract_violation", library_id=outcome.library_id, error_message=outcome.reason)


def claimed_id(answer: object) -> object:
    """Return what an answer says it is about, whatever that is."""
    return answer.get("library_id") if isinstance(answer, dict) else None


def _effort(calls: int, latency_ms: float) -> Counters:
    return Counters(lml_total_calls=calls, lml_total_latency_ms=round(latency_ms))


def _untrusted(page: Sequence[Library], untrusted: Sequence[object]) -> ledger.Rejected:
    ids = [claimed_id(answer) for answer in untrusted[:20]]
    return ledger.Rejected(
        input_id=page[0].library_id,
        kind="answers_untrusted",
        reason=f"{len(untrusted)} answers to page {page[0].library_id}-{page[-1].library_id} that nobody asked for: {ids}",
        payload_digest=digest(untrusted),
        rests=False,
    )


def database_problem(error: psycopg.Error) -> str:
    """Say in one line what the database refused."""
    text = str(error).strip().splitlines()
    return f"database: {type(error).__name__}: {text[0] if text else 'no message'}"
