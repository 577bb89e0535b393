"""What a run of album_metadata counts, under the names that dashboards and runbooks already read."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from wxyc_assets.accounting import Counts

Bucket = Literal["match", "no_match", "error", "unexpected_index", "skipped_unresolvable", "deferred"]
"""The outcome of one album. Every album of a run ends in exactly one."""

FLIPPED = "flipped"
"""A name that dashboards read in this job's summary and that stays 0: the flowsheet pass is an asset of its own."""


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of one shard or of a whole run. ``scanned`` and the buckets count albums; the rest stands beside them.

    Attributes:
        scanned: albums with a pending play.
        match, no_match, error, unexpected_index, skipped_unresolvable, deferred: the buckets.
        would_ask: the bucket of a dry run, for albums that a real one would ask about.
        batch_error: albums of failed calls, within ``error``.
        contract_violation: albums whose answer breaks the contract, within ``error``.
        lml_deferred: albums held back because LML is left alone or asked for fewer calls, within ``deferred``.
        batches: batches that were taken up; in a dry run, that would be.
        upserts: rows written. With the next three it makes up ``match``.
        writer_error: rows that the table refused.
        rows_kept_newer: rows that somebody stamped while ours was on its way, and that were left alone.
        match_without_artwork: matches with nothing to write.
        answers_untrusted: answers beyond the albums asked.
        lml_total_calls, lml_total_latency_ms: HTTP calls, and the time that they took together.
        discogs_calls: what those calls cost at Discogs, as far as LML said.
    """

    scanned: int = 0
    match: int = 0
    no_match: int = 0
    error: int = 0
    unexpected_index: int = 0
    skipped_unresolvable: int = 0
    deferred: int = 0
    would_ask: int = 0
    batch_error: int = 0
    contract_violation: int = 0
    lml_deferred: int = 0
    batches: int = 0
    upserts: int = 0
    writer_error: int = 0
    rows_kept_newer: int = 0
    match_without_artwork: int = 0
    answers_untrusted: int = 0
    lml_total_calls: int = 0
    lml_total_latency_ms: int = 0
    discogs_calls: int = 0

    @property
    def accounted(self) -> int:
        """Albums that some bucket holds; equal to ``scanned`` when every album was counted exactly once."""
        asked = self.match + self.no_match + self.error + self.unexpected_index
        return asked + self.skipped_unresolvable + self.deferred + self.would_ask

    @property
    def answered(self) -> int:
        """Albums that LML said something about, be it wrong."""
        return self.match + self.no_match + self.error - self.batch_error + self.unexpected_index

    @property
    def unanswered(self) -> int:
        """Albums that were to be asked about, and that LML said nothing about."""
        return self.batch_error + self.lml_deferred

    @property
    def rows_accounted(self) -> int:
        """Matches of which it is known what became of their row; equal to ``match``."""
        return self.upserts + self.writer_error + self.rows_kept_newer + self.match_without_artwork

    def totals(self) -> dict[str, int]:
        """Return the counters under the contract's names."""
        return {**self.stored(), FLIPPED: 0}


def summed(parts: Iterable[Counters]) -> Counters:
    """Add up counters."""
    return sum(parts, Counters())
