"""Drains shards: asks LML about several batches at once, and writes each while later ones are being asked."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Protocol

import psycopg

from wxyc_assets.album_metadata import store
from wxyc_assets.album_metadata.asking import Answered, Lookup, ask
from wxyc_assets.album_metadata.batch_log import BatchLog
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.album_metadata.plan import IN_FLIGHT, Plan
from wxyc_assets.album_metadata.verdicts import Album, Outcome
from wxyc_assets.askers import Askers, ask_ahead, awaited
from wxyc_assets.progress import Progress
from wxyc_assets.row_isolation import database_problem


class Writer(Protocol):
    """Where the outcomes of a shard go."""

    tallied: Counters

    def write(self, albums: Sequence[Album], outcomes: Sequence[Outcome], beside: Counters) -> list[Outcome]:
        """Write a batch and return the outcomes as they were written."""

    def complete(self) -> None:
        """Record that the shard was walked to its end."""


@dataclass(frozen=True)
class ShardDone:
    """How one shard ended.

    ``broken``: it was not walked to its end, and this says why. A shard that was, but about whose albums LML said nothing,
    has a problem too: it cannot be credited.
    """

    shard: int
    counters: Counters
    inputs_read: int
    broken: str = ""

    @property
    def problem(self) -> str:
        """Why this shard cannot be credited, empty if it can."""
        lost_all = self.counters.unanswered > 0 and self.counters.answered == 0
        return self.broken or ("LML answered nothing" if lost_all else "")


@dataclass(frozen=True)
class _Asked:
    """A batch with its answer on the way, and how many albums of the plan are left behind it.

    No ``answer``: nothing of it was left to ask about. ``last``: behind the shard's.
    """

    shard: int
    index: int = 0
    questions: store.Questions = field(default_factory=lambda: store.Questions((), Counters()))
    answer: Future[Answered] | None = None
    read_ms: float = 0.0
    problem: str = ""
    last: bool = False
    left: int = 0


@dataclass
class _Shard:
    writer: Writer
    inputs_read: int = 0
    problem: str = ""


def _tell_nobody(_albums: int) -> None:
    """Expect in silence."""


@dataclass
class Drain:
    """Some shards, one after the other, over one connection; ``expect`` is told how many albums are still to be asked about.

    Reading and writing take turns on ``connection``; asking waits for neither, and goes on across the end of a shard.
    """

    connection: psycopg.Connection
    plan: Plan
    lml: Lookup
    writer_for: Callable[[psycopg.Connection, int], Writer]
    batches: BatchLog
    progress: Progress
    retry_after: timedelta
    budget_ms: int
    in_flight: int = IN_FLIGHT
    expect: Callable[[int], None] = _tell_nobody

    def run(self, shards: Sequence[int]) -> Generator[ShardDone, None, None]:
        """Walk every shard to its end and yield how it ended; a shard that fails never stops the others."""
        states = {shard: _Shard(self.writer_for(self.connection, shard)) for shard in shards}
        askers: Askers[Answered] = Askers(self.in_flight)
        try:
            for asked in ask_ahead(self._ask(states, askers), self.in_flight):
                state = states[asked.shard]
                if asked.last:
                    yield self._finish(asked, state)
                elif not state.problem:
                    self._take(asked, state)
        finally:
            askers.leave()

    def _ask(self, states: Mapping[int, _Shard], askers: "Askers[Answered]") -> Iterator[_Asked]:
        index = 0
        size = self.plan.batch_size
        left = self.plan.to_ask
        for shard, state in states.items():
            ids = self.plan.shards[shard].album_ids
            problem = self._set_aside(shard, state)
            for start in range(0, 0 if problem else len(ids), size):
                if state.problem:
                    break  # an earlier batch of it could not be written: do not ask LML for nothing
                try:
                    asked = self._ask_one(shard, index + start // size + 1, ids[start : start + size], askers)
                    yield replace(asked, left=left - min(start + size, len(ids)))
                except psycopg.Error as error:
                    problem = database_problem(error)
                    break
            index += self.plan.shards[shard].batches(size)
            left -= len(ids)
            yield _Asked(shard, problem=problem, last=True)

    def _set_aside(self, shard: int, state: _Shard) -> str:
        """Count what the shard does not ask about; return what the database had against that."""
        aside = self.plan.shards[shard].set_aside
        if not aside.scanned:
            return ""
        try:
            state.writer.write((), (), aside)
        except psycopg.Error as error:
            return database_problem(error)
        state.inputs_read += aside.scanned
        return ""

    def _ask_one(self, shard: int, index: int, album_ids: Sequence[int], askers: "Askers[Answered]") -> _Asked:
        began = time.monotonic()
        questions = store.questions(self.connection, album_ids, as_of=self.plan.as_of, retry_after=self.retry_after)
        read_ms = (time.monotonic() - began) * 1000
        albums = questions.albums
        answer = askers.submit(lambda: ask(self.lml, albums, self.budget_ms)) if albums else None
        return _Asked(shard, index, questions, answer, read_ms)

    def _take(self, asked: _Asked, state: _Shard) -> None:
        """Write one batch, once its answer is there, and say so."""
        albums = len(asked.questions.albums) + asked.questions.set_aside.scanned
        try:
            answered = awaited(asked.answer) if asked.answer else None
            state.inputs_read += albums
            self._write(asked, answered, state.writer)
            self.expect(asked.left)
        except psycopg.Error as error:
            state.problem = database_problem(error)
            self.batches.shard_failed(asked.shard, state.problem)
        self.progress.advance(albums)

    def _write(self, asked: _Asked, answered: Answered | None, writer: Writer) -> None:
        albums = asked.questions.albums
        outcomes: Sequence[Outcome] = ()
        beside = asked.questions.set_aside.plus(batches=1)
        if answered:
            outcomes = answered.judgement.outcomes
            beside += answered.effort.plus(answers_untrusted=len(answered.judgement.surplus))
            self.batches.answered(albums, answered)
        before = writer.tallied
        began = time.monotonic()
        self.batches.written(writer.write(albums, outcomes, beside))
        took_ms = asked.read_ms + beside.lml_total_latency_ms + (time.monotonic() - began) * 1000
        self.batches.done(asked.index, len(albums), writer.tallied - before, took_ms)

    def _finish(self, asked: _Asked, state: _Shard) -> ShardDone:
        problem = state.problem or asked.problem
        if not problem:
            try:
                state.writer.complete()
            except psycopg.Error as error:
                problem = database_problem(error)
        return ShardDone(asked.shard, state.writer.tallied, state.inputs_read, problem)
