"""The frame of a drain over shards: batches are sent to LML ahead of the writes, and each shard ends on its own."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

import psycopg

from wxyc_assets.runs.bisecting_write import database_problem
from wxyc_assets.runs.outcome import RunOutcome
from wxyc_assets.runs.worker_pool import WorkerPool, prefetch


class ShardCounters(Protocol):
    """The counters of one shard."""

    def answered_nothing(self, inputs_read: int, /) -> bool:
        """Return whether LML gave no answer for any of the inputs that were read."""


class ShardWriter(Protocol):
    """Writes one shard; ``tallied`` is what it has committed so far."""

    tallied: Any

    def complete(self) -> None:
        """Record that the shard was processed to its end."""


C = TypeVar("C", bound=ShardCounters)
W = TypeVar("W", bound=ShardWriter)


@dataclass(frozen=True)
class ShardDone(Generic[C]):
    """How one shard ended; ``broken``: why it was not processed to its end, empty if it was."""

    shard: int
    counters: C
    inputs_read: int
    broken: str = ""

    @property
    def problem(self) -> str:
        """Why this shard cannot be credited, empty if it can: it is broken, or LML answered nothing."""
        return self.broken or ("LML answered nothing" if self.counters.answered_nothing(self.inputs_read) else "")


@dataclass
class ShardState(Generic[W]):
    """A shard in progress."""

    writer: W
    inputs_read: int = 0
    problem: str = ""

    def finish(self, shard: int, problem: str = "") -> ShardDone[Any]:
        """Record the end of the shard; ``problem``: why its batches could not be read to their end."""
        broken = self.problem or problem
        if not broken:
            try:
                self.writer.complete()
            except psycopg.Error as error:
                broken = database_problem(error)
        return ShardDone(shard, self.writer.tallied, self.inputs_read, broken)


class Batch(Protocol):
    """A batch whose answer may be in flight; ``last``: the marker behind a shard's last batch."""

    @property
    def shard(self) -> int:
        """Its shard."""

    @property
    def answer(self) -> Future[Any] | None:
        """LML's answer; None: there is nothing to wait for."""

    @property
    def last(self) -> bool:
        """Whether this is the end of the shard."""

    @property
    def problem(self) -> str:
        """At the end of a shard: why its batches could not be read to their end."""


B = TypeVar("B", bound=Batch)


class ShardDrain(ABC, Generic[B, W]):
    """Drains shards one after the other over one connection.

    Reading and writing take turns on the connection. LML calls wait for neither, and continue across the end of a shard. Once
    ``stopping`` is set, the drain ends after the batch that is being written.
    """

    in_flight: int
    stopping: threading.Event

    def run(self, shards: Sequence[int]) -> Generator[ShardDone[Any], None, None]:
        """Process every shard to its end and yield how it ended; a shard that fails never stops the others."""
        states = {shard: ShardState(self.writer(shard)) for shard in shards}
        pool: WorkerPool[Any] = WorkerPool(self.in_flight)
        try:
            for batch in prefetch(self.batches(states, pool), self.in_flight):
                state = states[batch.shard]
                if batch.last:
                    yield state.finish(batch.shard, batch.problem)
                elif not state.problem:
                    self.take(batch, state)
                if self.stopping.is_set():
                    return
        finally:
            pool.shutdown()

    @abstractmethod
    def writer(self, shard: int) -> W:
        """Return the writer of a shard."""

    @abstractmethod
    def batches(self, states: Mapping[int, ShardState[W]], pool: WorkerPool[Any]) -> Iterator[B]:
        """Yield the batches of all shards in order, each sent to LML through ``pool``, and a last one behind each shard."""

    @abstractmethod
    def take(self, batch: B, state: ShardState[W]) -> None:
        """Write one batch once its answer has arrived."""


@dataclass(kw_only=True)
class ShardRunReport(RunOutcome[int], Generic[C]):
    """The report of a run that drains shards; ``done``: the shards that ended, broken or not."""

    done: list[ShardDone[C]] = field(default_factory=list)

    def add(self, done: ShardDone[C], failed_blocking: Sequence[str]) -> None:
        """Add a shard that ended, with the blocking checks that it failed."""
        self.done.append(done)
        if failed_blocking:
            self.unvouched[done.shard] = ", ".join(failed_blocking)

    def can_credit(self, done: ShardDone[C]) -> bool:
        """Return whether the shard is to be credited: processed to its end, trusted, and not in a dry run."""
        return not (done.problem or done.shard in self.unvouched or self.dry_run)

    @property
    def broken(self) -> dict[int, str]:
        """Why shards were not processed to their end."""
        return {done.shard: done.broken for done in self.done if done.broken}

    @property
    def uncredited(self) -> dict[int, str]:
        """Why shards that were processed to their end cannot be credited: LML answered nothing."""
        return {done.shard: done.problem for done in self.done if done.problem and not done.broken}

    @property
    def processed(self) -> list[ShardDone[C]]:
        """The shards that were processed to their end."""
        return [done for done in self.done if not done.broken]
