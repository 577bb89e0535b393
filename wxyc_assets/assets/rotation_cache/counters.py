"""The counters of a run of rotation_cache, under the names that dashboards and runbooks already use. Pure."""

from dataclasses import dataclass
from typing import Literal

from wxyc_assets.runs.counts import Counts

Bucket = Literal["warmed", "not_found", "not_implemented", "lml_error"]
"""The outcome of one identity. Every identity of a run is in exactly one bucket."""

TOTALS = (
    "identities_scanned",
    "identities_resolved",
    "warmed_releases",
    "warmed_artists",
    "not_found",
    "not_implemented",
    "lml_error",
)
"""The predecessor's totals, under their names in its span."""


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of one run. ``identities_scanned`` and the buckets count identities.

    Attributes:
        identities_scanned: distinct identities of the active rotation that the run has processed.
        identities_resolved: identities with an answer that another call would not change.
        warmed_releases: sources whose release was warmed; several sources of one identity count several times.
        warmed_artists: artists that were warmed, whether or not their release was.
        warmed, not_found, not_implemented, lml_error: the buckets.
        batch_error: identities of calls that returned no list of answers, within ``lml_error``.
        lml_refused: identities that LML refuses even when it is asked about one alone, within ``lml_error``.
        answer_missing: identities that their list of answers leaves out, within ``lml_error``.
        unknown_status: identities whose answer has a status that the contract does not have, within ``lml_error``.
        answers_untrusted: answers for an identity that was not in the request or already had an answer, or for no identity.
        batches: batches that were sent.
        lml_total_calls, lml_total_latency_ms: HTTP calls including retries, and their total duration.
    """

    identities_scanned: int = 0
    identities_resolved: int = 0
    warmed_releases: int = 0
    warmed_artists: int = 0
    not_found: int = 0
    not_implemented: int = 0
    lml_error: int = 0
    warmed: int = 0
    batch_error: int = 0
    lml_refused: int = 0
    answer_missing: int = 0
    unknown_status: int = 0
    answers_untrusted: int = 0
    batches: int = 0
    lml_total_calls: int = 0
    lml_total_latency_ms: int = 0

    @property
    def accounted(self) -> int:
        """Identities in all buckets; equal to ``identities_scanned`` if each was counted exactly once."""
        return self.warmed + self.not_found + self.not_implemented + self.lml_error

    @property
    def resolved_in_buckets(self) -> int:
        """Identities in the buckets that make up ``identities_resolved``."""
        return self.warmed + self.not_found + self.not_implemented

    def span_attributes(self, *, dry_run: bool) -> dict[str, int]:
        """Return the attributes of the totals span; all are numbers, ``backfill.dry_run`` too."""
        totals = {f"backfill.{name}": getattr(self, name) for name in TOTALS}
        return {"backfill.dry_run": int(dry_run), **totals}
