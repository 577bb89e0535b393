"""What a run of flowsheet_enrichment counts. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from wxyc_assets.accounting import Counts

BUCKETS = ("flipped", "overtaken", "locked", "writer_error")
"""The outcome of one play. Every play that a run read ends in exactly one."""


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of one shard or of a whole run.

    ``scanned`` and the buckets count plays. ``flipped``: marked as enriched; ``overtaken``: did not wait any more when its
    chunk came; ``locked``: somebody else held it all along, so it still waits; ``writer_error``: the table refused it.
    Beside them, ``chunks``, and ``paused_ms`` for live DJs: a chunk holds plays of many shards, so it counts, with the
    pause before it, for the shard of its first play, and the sum over shards is the run's.
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
        """Plays that some bucket holds; equal to ``scanned`` when every play was counted exactly once."""
        return sum(int(getattr(self, bucket)) for bucket in BUCKETS)


def summed(parts: Iterable[Counters]) -> Counters:
    """Add up counters."""
    return sum(parts, Counters())
