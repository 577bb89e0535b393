"""What a run of rotation_identity counts, under the names that its predecessor gave them. Pure."""

from dataclasses import dataclass
from typing import Literal, get_args

from wxyc_assets.accounting import Counts

Bucket = Literal["resolved", "resolved_dry", "unresolved", "lml_error", "raced", "contract_violation", "writer_error"]
"""The outcome of one row. Every row of a run ends in exactly one."""

BUCKETS: tuple[Bucket, ...] = get_args(Bucket)


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of one run. ``scanned`` and the buckets count rotation rows; the rest stands beside them.

    Attributes:
        scanned: active rows with a Discogs release and without an identity, but for those that rest.
        resolved: given their identity.
        resolved_dry: the bucket of a dry run, for rows that a real one would ask about. The predecessor asked even then.
        unresolved: LML has no identity for the release (422).
        lml_error: LML gave no usable answer; asked again by the next run.
        raced: somebody gave the row an identity, or another release, while LML was being asked.
        contract_violation: the answer cannot be right; quarantined, never written.
        writer_error: the table refused the row; quarantined.
        resting: rows that are not scanned, because they failed three times in a row and wait a day.
        lml_total_calls, lml_total_latency_ms: HTTP calls, and the time that they took together.
    """

    scanned: int = 0
    resolved: int = 0
    resolved_dry: int = 0
    unresolved: int = 0
    lml_error: int = 0
    raced: int = 0
    contract_violation: int = 0
    writer_error: int = 0
    resting: int = 0
    lml_total_calls: int = 0
    lml_total_latency_ms: int = 0

    @property
    def accounted(self) -> int:
        """Rows that some bucket holds; equal to ``scanned`` when every row was counted exactly once."""
        return sum(int(getattr(self, bucket)) for bucket in BUCKETS)

    @property
    def answered(self) -> int:
        """Rows that LML said something about, be it wrong."""
        return self.accounted - self.lml_error - self.resolved_dry
