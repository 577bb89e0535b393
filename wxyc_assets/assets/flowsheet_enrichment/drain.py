"""Drains the waiting plays chunk by chunk, and pauses before a chunk while a DJ is live."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psycopg

from resources.step_log import StepLog
from wxyc_assets.assets.flowsheet_enrichment import store
from wxyc_assets.assets.flowsheet_enrichment.counters import summed
from wxyc_assets.assets.flowsheet_enrichment.pauses import Pauses
from wxyc_assets.assets.flowsheet_enrichment.store import Play, Selection
from wxyc_assets.assets.flowsheet_enrichment.writer import Writer
from wxyc_assets.runs.progress import Progress

CHUNK_PLAYS = 2000
"""Rows of one transaction. They bound how long another session waits for one of them: a quarter of a second, at about 0.11 ms a
row for the table's twenty indexes and three triggers. A commit costs 8 ms more: with chunks of 500 the run takes a third longer
than one single UPDATE, with chunks of 2000 as long. Smaller chunks would not bound the wait either: now and then a GIN index
merges its pending list, which takes that long whatever the chunk. Measured with benchmarks/flowsheet_enrichment.py."""


@dataclass
class Drain:
    """Drains all shards of a run. ``write_s`` is the time that the chunks took, without the pauses."""

    connection: psycopg.Connection
    selection: Selection
    writer: Writer
    pauses: Pauses
    log: StepLog
    progress: Progress
    clock: Callable[[], float]
    chunk_plays: int
    plays_read: int = field(default=0, init=False)
    write_s: float = field(default=0.0, init=False)
    _chunks: int = field(default=0, init=False)

    def run(self) -> None:
        """Write every chunk once. At the end, write once more the plays that another session had locked."""
        held: list[Play] = []
        for chunk in store.chunks(self.connection, self.selection, self.chunk_plays):
            self.plays_read += len(chunk)
            held += self._write(chunk)
            self.progress.advance(len(chunk))
        for first in range(0, len(held), self.chunk_plays):
            still_held = self._write(held[first : first + self.chunk_plays])
            if still_held:
                self.log.warning("plays_locked", plays=len(still_held), first_id=still_held[0].play_id)
                self.writer.count_held(still_held)

    def _write(self, chunk: Sequence[Play]) -> list[Play]:
        paused_ms = self.pauses.wait()
        began_s = self.clock()
        held = self.writer.write(chunk, paused_ms)
        took_s = self.clock() - began_s
        self.write_s += took_s
        self._chunks += 1
        self.log.info(
            "chunk_done",
            chunk_index=self._chunks,
            last_id=chunk[-1].play_id,
            flipped=summed(self.writer.tallied.values()).flipped,
            wall_clock_ms=round(took_s * 1000),
        )
        return held
