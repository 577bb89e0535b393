"""The counters of flowsheet_enrichment. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from wxyc_assets.runs.counts import Counts

BUCKETS = ("flipped", "overtaken", "locked", "writer_error")
"""The outcome of one play. Every play that a run reads has exactly one."""


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of one shard or of a whole run. ``scanned`` and the buckets count plays; the other counters do not.

    Attributes:
        scanned: plays that the run read.
        flipped: plays that the run marked as enriched.
        overtaken: plays that were no longer waiting when the run wrote their chunk.
        locked: plays that another session kept locked until the end of the run, so that they still wait.
        writer_error: plays that the table refused.
        chunks: transactions. A chunk holds plays of many shards; it counts for the shard of its first play, so that the sum
            over shards is the number of the run.
        paused_ms: pauses for a live DJ; a pause counts for the same shard as the chunk after it.
    """

    scanned: int = 0
    flipped: int = 0
    overtaken: int = 0
    locked: int = 0
    writer_error: int = 0
    chunks: int = 0
    paused_ms: int = 0

    @property
    def accounted(self) -> int:
        """Plays that have a bucket; equal to ``scanned`` when every play was counted exactly once."""
        return sum(int(getattr(self, bucket)) for bucket in BUCKETS)


def summed(parts: Iterable[Counters]) -> Counters:
    """Add up counters."""
    return sum(parts, Counters())
