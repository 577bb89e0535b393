"""Drains shards: reads pages, asks LML about several at once, and writes each while later ones are being asked."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass, field

import psycopg

from wxyc_assets import ledger
from wxyc_assets.askers import Askers, ask_ahead
from wxyc_assets.evidence import digest
from wxyc_assets.library_identity import store
from wxyc_assets.library_identity.asking import Answered, Resolver, ask
from wxyc_assets.library_identity.batch_log import BatchLog
from wxyc_assets.library_identity.counters import Counters
from wxyc_assets.library_identity.verdicts import Library, claimed_id
from wxyc_assets.library_identity.writers import Writer
from wxyc_assets.partitions import SHARD_COUNT
from wxyc_assets.progress import Progress
from wxyc_assets.row_isolation import database_problem

PAGE_SIZE = 500
IN_FLIGHT = 8
"""Pages that are asked, or wait to be written, at once: it bounds LML's load and a run's memory alike."""

STOP_POLL_S = 0.1
"""How soon a lane that waits for LML notices that its run is being stopped."""


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
    answer: "Future[Answered] | None" = None
    problem: str = ""


@dataclass
class _Shard:
    writer: Writer
    inputs_read: int = 0
    problem: str = ""


@dataclass
class Drain:
    """One lane of a run: some shards, one after the other, over one connection.

    Reading and writing take turns on ``connection``; asking waits for neither, and goes on across the end of a shard. Once
    ``stopping`` is set, the page that is being written is finished, and LML's answers are not waited for.
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
        askers: Askers[Answered] = Askers(self.in_flight)
        try:
            for asked in ask_ahead(self._ask(states, askers), self.in_flight):
                state = states[asked.shard]
                if asked.answer is None:
                    yield self._finish(asked, state)
                elif not state.problem:
                    self._take(asked.shard, asked.page, asked.answer, state)
                if self.stopping.is_set():
                    return
        finally:
            askers.leave()

    def _ask(self, states: Mapping[int, _Shard], askers: "Askers[Answered]") -> Iterator[_Asked]:
        for shard, state in states.items():
            problem = ""
            try:
                for page in store.pages(
                    self.connection, self.selection, shard=shard, shard_count=SHARD_COUNT, page_size=self.page_size
                ):
                    if state.problem:
                        break  # an earlier page of it could not be written: do not ask LML for nothing
                    yield _Asked(shard, page, askers.submit(lambda page=page: ask(self.lml, page)))  # type: ignore[misc]
            except psycopg.Error as error:
                problem = database_problem(error)
            yield _Asked(shard, problem=problem)

    def _take(self, shard: int, page: Sequence[Library], answer: "Future[Answered]", state: _Shard) -> None:
        """Write one page, once its answer is there, and say so."""
        try:
            answered = self._awaited(answer)
            if answered is None:
                return
            state.inputs_read += len(page)
            self._write(page, answered, state.writer)
        except psycopg.Error as error:
            state.problem = database_problem(error)
            self.batches.shard_failed(shard, state.problem)
        self.progress.advance(len(page))

    def _awaited(self, answer: "Future[Answered]") -> Answered | None:
        """Return the answer, or None when the run is being stopped: LML may take longer than a person has patience."""
        while not self.stopping.is_set():
            if wait([answer], STOP_POLL_S).done:
                return answer.result()
        return None

    def _write(self, page: Sequence[Library], answered: Answered, writer: Writer) -> None:
        index = self.batches.next_index()
        untrusted = answered.judgement.untrusted
        self.batches.answered(index, page, answered)
        before = writer.tallied
        try:
            beside = answered.effort.plus(answers_untrusted=len(untrusted))
            self.batches.written(writer.write(answered.judgement.outcomes, beside))
            if untrusted:
                writer.reject([_untrusted(page, untrusted)])
        finally:
            self.batches.committed(writer.tallied - before)
        if not answered.error:
            self.batches.done(index, page)

    def _finish(self, asked: _Asked, state: _Shard) -> ShardDone:
        problem = state.problem or asked.problem
        if not problem:
            try:
                state.writer.complete()
            except psycopg.Error as error:
                problem = database_problem(error)
        return ShardDone(asked.shard, state.writer.tallied, state.inputs_read, problem)


def _untrusted(page: Sequence[Library], untrusted: Sequence[object]) -> ledger.Rejected:
    ids = [claimed_id(answer) for answer in untrusted[:20]]
    return ledger.Rejected(
        input_id=page[0].library_id,
        kind="answers_untrusted",
        reason=f"{len(untrusted)} answers to page {page[0].library_id}-{page[-1].library_id} that nobody asked for: {ids}",
        payload_digest=digest(untrusted),
        rests=False,
    )
