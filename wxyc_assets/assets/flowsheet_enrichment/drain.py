"""Walks the plays that wait, chunk by chunk, and gives way to a live DJ before each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from resources.step_log import StepLog
from wxyc_assets.flowsheet_enrichment import store
from wxyc_assets.flowsheet_enrichment.counters import summed
from wxyc_assets.flowsheet_enrichment.pauses import Pauses
from wxyc_assets.flowsheet_enrichment.store import Play, Selection
from wxyc_assets.flowsheet_enrichment.writers import Writer
from wxyc_assets.progress import Progress

CHUNK_PLAYS = 2000
"""Rows of one transaction, and so how long anybody waits for one of them: a quarter of a second, at some 0.11 ms a row for the
table's twenty indexes and three triggers. A commit costs 8 ms more, so that chunks of 500 take a third longer in all than one
single UPDATE, and those of 2000 as long. Smaller ones would not bound the wait either: now and then a GIN index puts its
pending list in order, which takes as long whatever the chunk. Measured with benchmarks/flowsheet_enrichment.py."""


@dataclass
class Walk:
    """One walk over all shards of a run. ``worked_s`` is what the chunks took, without the pauses."""

    connection: psycopg.Connection
    selection: Selection
    writer: Writer
    pauses: Pauses
    log: StepLog
    progress: Progress
    clock: Callable[[], float]
    chunk_plays: int
    plays_read: int = field(default=0, init=False)
    worked_s: float = field(default=0.0, init=False)
    _chunks: int = field(default=0, init=False)

    def run(self) -> None:
        """Take every chunk once; at last, once more, the plays that somebody else held when their turn came."""
        held: list[Play] = []
        for chunk in store.chunks(self.connection, self.selection, self.chunk_plays):
            self.plays_read += len(chunk)
            held += self._take(chunk)
            self.progress.advance(len(chunk))
        for first in range(0, len(held), self.chunk_plays):
            still_held = self._take(held[first : first + self.chunk_plays])
            if still_held:
                self.log.warning("plays_locked", plays=len(still_held), first_id=still_held[0].play_id)
                self.writer.settle(still_held)

    def _take(self, chunk: Sequence[Play]) -> list[Play]:
        paused_ms = self.pauses.wait()
        began_s = self.clock()
        held = self.writer.write(chunk, paused_ms)
        took_s = self.clock() - began_s
        self.worked_s += took_s
        self._chunks += 1
        self.log.info(
            "chunk_done",
            chunk_index=self._chunks,
            last_id=chunk[-1].play_id,
            flipped=summed(self.writer.tallied.values()).flipped,
            wall_clock_ms=round(took_s * 1000),
        )
        return held
