"""What a run of flowsheet_enrichment counts. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace

BUCKETS = ("flipped", "overtaken", "locked", "writer_error")
"""The outcome of one play. Every play that a run read ends in exactly one."""


@dataclass(frozen=True)
class Counters:
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

    def __add__(self, other: "Counters") -> "Counters":
        return Counters(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def plus(self, **counts: int) -> "Counters":
        """Return these counters with some of them increased."""
        return replace(self, **{name: getattr(self, name) + count for name, count in counts.items()})

    @property
    def accounted(self) -> int:
        """Plays that some bucket holds; equal to ``scanned`` when every play was counted exactly once."""
        return sum(int(getattr(self, bucket)) for bucket in BUCKETS)

    def stored(self) -> dict[str, int]:
        """Return the counters as the ledger, the log and the command line show them."""
        return asdict(self)

    @classmethod
    def from_stored(cls, stored: Mapping[str, int]) -> "Counters":
        """Read what ``stored`` returned, also where an older revision knew fewer counters."""
        return cls(**{f.name: int(stored.get(f.name, 0)) for f in fields(cls)})


def summed(parts: Iterable[Counters]) -> Counters:
    """Add up counters."""
    return sum(parts, Counters())
