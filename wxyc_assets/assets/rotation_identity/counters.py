"""The counters of a run of rotation_identity, under the predecessor's names. Pure."""

from dataclasses import dataclass
from typing import Literal, get_args

from wxyc_assets.runs.counts import Counts

Bucket = Literal["resolved", "resolved_dry", "unresolved", "lml_error", "raced", "contract_violation", "writer_error"]
"""The outcome of one row. Every row of a run is in exactly one bucket."""

BUCKETS: tuple[Bucket, ...] = get_args(Bucket)


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of one run. ``scanned`` and the buckets count rotation rows.

    Attributes:
        scanned: active rows with a Discogs release and without an identity, except resting rows.
        resolved: the row received its identity.
        resolved_dry: the bucket of a dry run: a real run would ask about the row. The predecessor asked even in a dry run.
        unresolved: LML has no identity for the release (422).
        lml_error: LML gave no usable answer; the next run asks again.
        raced: another session set an identity or another release on the row during the LML call.
        contract_violation: the answer cannot be right, or LML refuses the row (400, 413); it is quarantined, and nothing of the
            answer is written.
        writer_error: the table refused the row; it is quarantined.
        resting: rows that are not scanned, because they were rejected three times in a row and wait a day.
        lml_total_calls, lml_total_latency_ms: HTTP calls, and their total duration.
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
        """Rows in all buckets; equal to ``scanned`` if every row was counted exactly once."""
        return sum(int(getattr(self, bucket)) for bucket in BUCKETS)

    @property
    def answered(self) -> int:
        """Rows that LML gave any answer for, valid or not."""
        return self.accounted - self.lml_error - self.resolved_dry
