"""The counters of album_metadata, under the names that dashboards and the runbook already read. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from wxyc_assets.runs.counts import Counts

Bucket = Literal[
    "match", "match_untrusted", "no_match", "error", "unexpected_index", "skipped_unresolvable", "deferred"
]
"""The outcome of one album. Every album of a run has exactly one."""

Unanswered = Literal["batch_error", "lml_degraded", "lml_deferred"]
"""The counter of an album that LML gave no answer about, beside its bucket."""

FLIPPED = "flipped"
"""A name that dashboards read in this job's summary. It stays 0, because flowsheet_enrichment is an asset of its own."""


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of one shard or of a whole run. ``scanned`` and the buckets count albums; the other counters do not.

    Attributes:
        scanned: albums with a pending play.
        match, match_untrusted, no_match, error, unexpected_index, skipped_unresolvable, deferred: the buckets.
        would_ask: the bucket of a dry run: albums that a real run would ask LML about.
        batch_error: albums of failed calls, within ``error``.
        lml_degraded: albums that LML could not look up, because Discogs or its time failed it, within ``error``.
        contract_violation: albums whose answer breaks the contract, within ``error``.
        lml_refused: albums that LML refuses even when it is asked about one alone, within ``error``.
        lml_deferred: albums deferred because the breaker is open or LML asked for fewer calls, within ``deferred``.
        batches: batches that the run processed; in a dry run, that it would process.
        upserts: rows written. ``match`` is the sum of this and the next three.
        writer_error: rows that the table refused.
        rows_kept_newer: rows that another writer stamped after our transaction began, and that the run left unchanged.
        match_without_artwork: matches with no row to write.
        answers_untrusted: answers beyond the albums of the request.
        lml_total_calls, lml_total_latency_ms: HTTP calls, and the sum of their latencies.
        discogs_calls: what those calls cost at Discogs, according to LML.
    """

    scanned: int = 0
    match: int = 0
    match_untrusted: int = 0
    no_match: int = 0
    error: int = 0
    unexpected_index: int = 0
    skipped_unresolvable: int = 0
    deferred: int = 0
    would_ask: int = 0
    batch_error: int = 0
    lml_degraded: int = 0
    contract_violation: int = 0
    lml_refused: int = 0
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
        """Albums that have a bucket; equal to ``scanned`` when every album was counted exactly once."""
        return self.asked + self.skipped_unresolvable + self.deferred + self.would_ask

    @property
    def asked(self) -> int:
        """Albums that LML was asked about, with or without an answer."""
        return self.match + self.match_untrusted + self.no_match + self.error + self.unexpected_index

    @property
    def answered(self) -> int:
        """Albums that LML answered, correctly or not."""
        return self.asked - self.batch_error - self.lml_degraded

    @property
    def unanswered(self) -> int:
        """Albums that the run wanted to ask about and LML did not answer."""
        return self.batch_error + self.lml_degraded + self.lml_deferred

    @property
    def rows_accounted(self) -> int:
        """Matches whose row has an outcome; equal to ``match``."""
        return self.upserts + self.writer_error + self.rows_kept_newer + self.match_without_artwork

    def answered_nothing(self, _inputs_read: int) -> bool:
        """Return whether LML answered for no album. Albums that the run did not want to ask about do not count."""
        return self.unanswered > 0 and self.answered == 0

    def totals(self) -> dict[str, int]:
        """Return the counters under the contract's names."""
        return {**self.stored(), FLIPPED: 0}


def summed(parts: Iterable[Counters]) -> Counters:
    """Add up counters."""
    return sum(parts, Counters())
