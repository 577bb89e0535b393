"""Writes chunks: FlowsheetWriter into the flowsheet, DryRunWriter only into its counters."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import psycopg

from wxyc_assets.assets.flowsheet_enrichment import store
from wxyc_assets.assets.flowsheet_enrichment.counters import Counters
from wxyc_assets.assets.flowsheet_enrichment.store import Play, Selection
from wxyc_assets.runs import ledger
from wxyc_assets.runs.bisecting_write import (
    database_problem,
    may_be_one_rows,
    retry_on_conflict,
)
from wxyc_assets.runs.digest import digest, first_problem

ATTEMPTS = 20
RETRY_AFTER_S = 1.0
"""Pause after an attempt that met a lock conflict. Twenty attempts that each wait half a second, and these pauses, make half a
minute."""


class Writer(Protocol):
    """Writes chunks; ``tallied`` is what it has committed so far, by shard."""

    tallied: Mapping[int, Counters]

    def write(self, plays: Sequence[Play], paused_ms: int) -> list[Play]:
        """Mark a chunk; return the plays that another session has locked, which are not counted yet."""

    def count_held(self, plays: Sequence[Play]) -> None:
        """Count plays that another session kept locked to the end."""

    def complete(self, shard: int) -> None:
        """Record that the shard was processed to its end."""


@dataclass
class FlowsheetWriter:
    """Marks the plays of one run. Each chunk is one transaction, which also writes the tally that counts it."""

    connection: psycopg.Connection
    run_id: str
    selection: Selection
    rejected: Callable[[Play, str], None] = lambda _play, _reason: None
    sleep: Callable[[float], None] = time.sleep
    tallied: Mapping[int, Counters] = field(init=False)

    def __post_init__(self) -> None:
        self.tallied = dict.fromkeys(self.selection.shards, Counters())

    def write(self, plays: Sequence[Play], paused_ms: int) -> list[Play]:
        """Mark a chunk without the plays that another session has locked and without those that the table refuses.

        Raises the error of a fault that no single play causes, also when another session blocks every writer of the flowsheet
        for too long.
        """
        try:
            return retry_on_conflict(
                lambda attempt: self._write_chunk(plays, paused_ms, skip_locked=attempt > 1),
                attempts=ATTEMPTS,
                pause_s=lambda _attempt: RETRY_AFTER_S,
                sleep=self.sleep,
            )
        except Exception as error:
            if self.connection.closed or not may_be_one_rows(error):
                raise
            return self._bisect(plays, paused_ms, error)

    def count_held(self, plays: Sequence[Play]) -> None:
        """Count plays that another session kept locked to the end: ``locked`` if they are still pending."""
        with self.connection.transaction():
            pending = store.still_pending(self.connection, [play.play_id for play in plays])
            tallied = self._add_outcomes({play: "locked" if play.play_id in pending else "overtaken" for play in plays})
            self._store(tallied)
        self.tallied = tallied

    def complete(self, shard: int) -> None:
        """Record that the shard was processed to its end."""
        self._store_one(shard, self.tallied[shard], complete=True)

    def _write_chunk(self, plays: Sequence[Play], paused_ms: int, *, skip_locked: bool) -> list[Play]:
        ids = [play.play_id for play in plays]
        with self.connection.transaction():
            store.set_chunk_timeouts(self.connection)
            available = store.lock_available(self.connection, ids) if skip_locked else set(ids)
            flipped = store.mark_enriched(self.connection, sorted(available), self.selection)
            tallied = self._add_outcomes(
                {
                    play: "flipped" if play.play_id in flipped else "overtaken"
                    for play in plays
                    if play.play_id in available
                }
            )
            first = plays[0].shard
            tallied[first] = tallied[first].plus(chunks=1, paused_ms=paused_ms)
            self._store(tallied)
        self.tallied = tallied
        return [play for play in plays if play.play_id not in available]

    def _bisect(self, plays: Sequence[Play], paused_ms: int, error: Exception) -> list[Play]:
        """Write each half of the chunk, until a half is the single play that the table refuses."""
        if len(plays) > 1:
            middle = len(plays) // 2
            return self.write(plays[:middle], paused_ms) + self.write(plays[middle:], 0)
        (play,) = plays
        reason = database_problem(error) if isinstance(error, psycopg.Error) else first_problem(error)
        with self.connection.transaction():
            tallied = self._add_outcomes({play: "writer_error"})
            tallied[play.shard] = tallied[play.shard].plus(chunks=1, paused_ms=paused_ms)
            self._store(tallied)
            # The play never waits in quarantine: a refused play costs a few small transactions and delays no other play.
            refused = ledger.Rejected(play.play_id, "writer_error", reason, digest(repr(play)), rests=False)
            ledger.quarantine(self.connection, store.ASSET, self.run_id, [refused])
        self.tallied = tallied
        self.rejected(play, reason)
        return []

    def _add_outcomes(self, outcomes: Mapping[Play, str]) -> dict[int, Counters]:
        """Return the tallies with these plays added, each in its bucket."""
        tallied = dict(self.tallied)
        for (shard, bucket), plays in Counter((play.shard, bucket) for play, bucket in outcomes.items()).items():
            tallied[shard] = tallied[shard].plus(scanned=plays, **{bucket: plays})
        return tallied

    def _store(self, tallied: Mapping[int, Counters]) -> None:
        """Store the tallies that changed in one round trip, because other writers of the flowsheet wait for our commit."""
        with self.connection.pipeline():
            for shard, counters in tallied.items():
                if counters != self.tallied[shard]:
                    self._store_one(shard, counters, complete=False)

    def _store_one(self, shard: int, counters: Counters, *, complete: bool) -> None:
        ledger.write_tally(
            self.connection,
            asset=store.ASSET,
            partition_key=str(shard),
            run_id=self.run_id,
            counters=counters.stored(),
            complete=complete,
        )


@dataclass
class DryRunWriter:
    """The writer of a dry run: it counts the plays that a real run would mark, and writes nothing."""

    shards: Sequence[int]
    tallied: Mapping[int, Counters] = field(init=False)

    def __post_init__(self) -> None:
        self.tallied = dict.fromkeys(self.shards, Counters())

    def write(self, plays: Sequence[Play], paused_ms: int) -> list[Play]:
        """Count a chunk."""
        tallied = dict(self.tallied)
        for shard, count in Counter(play.shard for play in plays).items():
            tallied[shard] = tallied[shard].plus(scanned=count, flipped=count)
        first = plays[0].shard
        self.tallied = tallied | {first: tallied[first].plus(chunks=1, paused_ms=paused_ms)}
        return []

    def count_held(self, plays: Sequence[Play]) -> None:
        """Count nothing: a dry run does not look for locks."""

    def complete(self, shard: int) -> None:
        """Record nothing."""
