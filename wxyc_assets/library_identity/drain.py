"""Drains shards: reads pages, asks LML about several at once, and writes each while later ones are being asked."""

import contextvars
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
from wxyc_assets.library_identity.counters import Counters, summed
from wxyc_assets.library_identity.verdicts import Library, Outcome, digest, judge
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

    tallied: Counters = Counters()

    def write(self, outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Count a page."""
        self.tallied = summed((self.tallied, beside, *(outcome.counted() for outcome in outcomes)))
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
    """A page with its answer on the way; ``page`` is None for the mark behind a shard's last page."""

    shard: int
    page: list[Library] | None = None
    answer: "Future[BulkResolveAnswer] | None" = None
    problem: str = ""


@dataclass
class _Shard:
    writer: Writer
    inputs_read: int = 0
    problem: str = ""


@dataclass
class Drain:
    """One run over some shards.

    ``reader`` is read while ``writer_for`` writes elsewhere or on the same connection: reading and writing take turns, asking
    does not wait for either.
    """

    reader: psycopg.Connection
    selection: store.Selection
    lml: Resolver
    writer_for: Callable[[int], Writer]
    log: StepLog
    progress: Progress
    page_size: int = PAGE_SIZE
    in_flight: int = IN_FLIGHT
    _batch_index: int = field(default=0, init=False)
    _committed: Counters = field(default=Counters(), init=False)

    def run(self, shards: Sequence[int]) -> Iterator[ShardDone]:
        """Walk every shard to its end and yield how it ended; a shard that fails never stops the others."""
        states = {shard: _Shard(self.writer_for(shard)) for shard in shards}
        with ThreadPoolExecutor(self.in_flight, thread_name_prefix="lml") as pool:
            try:
                for asked in self._ask_ahead(shards, pool):
                    state = states[asked.shard]
                    if asked.page is None or asked.answer is None:
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
                    self.reader, self.selection, shard=shard, shard_count=SHARD_COUNT, page_size=self.page_size
                ):
                    # The context carries the run's span to the call's own.
                    context = contextvars.copy_context()
                    yield _Asked(shard, page, pool.submit(context.run, self._call, page))
            except psycopg.Error as error:
                problem = _database_problem(error)
            yield _Asked(shard, problem=problem)

    def _call(self, page: Sequence[Library]) -> BulkResolveAnswer:
        inputs = [
            LibraryInput.model_construct(
                library_id=library.library_id,
                artist_name=library.artist_name,
                album_title=library.album_title,
                legacy_release_id=library.legacy_release_id,
            )
            for library in page
        ]
        return self.lml.bulk_resolve_libraries(inputs)

    def _take(self, shard: int, page: list[Library], answer: "Future[BulkResolveAnswer]", state: _Shard) -> None:
        """Judge and write one page."""
        state.inputs_read += len(page)
        self._batch_index += 1
        before = state.writer.tallied
        try:
            self._judge_and_write(page, answer, state.writer)
        except psycopg.Error as error:
            state.problem = _database_problem(error)
            self.log.error("failed", f"shard {shard} cannot be written", error_message=state.problem, shard=shard)
        self._committed += state.writer.tallied - before
        self.progress.advance(len(page))

    def _judge_and_write(self, page: list[Library], answer: "Future[BulkResolveAnswer]", writer: Writer) -> None:
        try:
            answered = answer.result()
        except LmlError as error:
            self.log.warning(
                "lml_error", batch_index=self._batch_index, batch_size=len(page), error_message=str(error)
            )
            effort = Counters(lml_total_calls=error.calls, lml_total_latency_ms=round(error.latency_ms))
            writer.write([Outcome(library.library_id, "lml_error") for library in page], effort)
            return
        judgement = judge(page, answered.results)
        self._warn_about_answers(page, len(answered.results), judgement.untrusted, judgement.outcomes)
        beside = Counters(
            answers_untrusted=len(judgement.untrusted),
            lml_total_calls=answered.calls,
            lml_total_latency_ms=round(answered.latency_ms),
        )
        before = writer.tallied
        for outcome in writer.write(judgement.outcomes, beside):
            if outcome.bucket == "writer_error":
                self.log.warning("writer_error", library_id=outcome.library_id, error_message=outcome.reason)
        if judgement.untrusted:
            writer.reject([_untrusted(page, judgement.untrusted)])
        self.log.info(
            "batch_done",
            batch_index=self._batch_index,
            last_id=page[-1].library_id,
            **(self._committed + (writer.tallied - before)).totals(),
        )

    def _warn_about_answers(
        self, page: Sequence[Library], results: int, untrusted: Sequence[object], outcomes: Sequence[Outcome]
    ) -> None:
        if results != len(page):
            missing = max(0, len(page) - results)
            self.log.warning(
                "lml_cardinality_mismatch",
                batch_index=self._batch_index,
                inputs=len(page),
                results=results,
                missing=missing,
            )
        for answer in untrusted:
            library_id = answer.get("library_id") if isinstance(answer, dict) else None
            self.log.warning("lml_untrusted_library_id", batch_index=self._batch_index, library_id=library_id)
        for outcome in outcomes:
            if outcome.bucket == "contract_violation":
                self.log.warning("contract_violation", library_id=outcome.library_id, error_message=outcome.reason)

    def _finish(self, asked: _Asked, state: _Shard) -> ShardDone:
        problem = state.problem or asked.problem
        if not problem:
            try:
                state.writer.complete()
            except psycopg.Error as error:
                problem = _database_problem(error)
        return ShardDone(asked.shard, state.writer.tallied, state.inputs_read, problem)


def _untrusted(page: Sequence[Library], untrusted: Sequence[object]) -> ledger.Rejected:
    ids = [answer.get("library_id") if isinstance(answer, dict) else None for answer in untrusted]
    return ledger.Rejected(
        input_id=page[0].library_id,
        kind="answers_untrusted",
        reason=f"{len(ids)} answers to the page {page[0].library_id}-{page[-1].library_id} nobody asked for: {ids[:20]}",
        payload_digest=digest(untrusted),
        rests=False,
    )


def _database_problem(error: psycopg.Error) -> str:
    text = str(error).strip().splitlines()
    return f"database: {type(error).__name__}: {text[0] if text else 'no message'}"
