"""What a run of rotation_cache counts, under the names that dashboards and runbooks already read. Pure."""

from dataclasses import dataclass
from typing import Literal

from wxyc_assets.accounting import Counts

Bucket = Literal["warmed", "not_found", "not_implemented", "lml_error"]
"""The outcome of one identity. Every identity of a run ends in exactly one."""

TOTALS = (
    "identities_scanned",
    "identities_resolved",
    "warmed_releases",
    "warmed_artists",
    "not_found",
    "not_implemented",
    "lml_error",
)
"""The predecessor's totals, by the names that its span has them under."""


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of one run. ``identities_scanned`` and the buckets count identities; the rest stands beside them.

    Attributes:
        identities_scanned: distinct identities of the active rotation that the run is done with.
        identities_resolved: those that LML gave an answer for that it will not change by being asked again.
        warmed_releases: sources whose release was warmed; several of one identity count several times.
        warmed_artists: artists that were warmed, whatever became of their release.
        warmed, not_found, not_implemented, lml_error: the buckets.
        batch_error: identities of calls that brought no list of answers, within ``lml_error``.
        answer_missing: identities that a list has no answer of their own for, within ``lml_error``.
        unknown_status: identities whose answer has a status that nobody knows, within ``lml_error``.
        answers_untrusted: answers about identities that were not asked about, or were answered before, or about none.
        batches: calls that were taken up.
        lml_total_calls, lml_total_latency_ms: HTTP calls, tries included, and the time that they took together.
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
    answer_missing: int = 0
    unknown_status: int = 0
    answers_untrusted: int = 0
    batches: int = 0
    lml_total_calls: int = 0
    lml_total_latency_ms: int = 0

    @property
    def accounted(self) -> int:
        """Identities that some bucket holds; equal to ``identities_scanned`` when each was counted exactly once."""
        return self.warmed + self.not_found + self.not_implemented + self.lml_error

    @property
    def resolved_in_buckets(self) -> int:
        """Identities in the buckets that make up ``identities_resolved``."""
        return self.warmed + self.not_found + self.not_implemented

    def span_attributes(self, *, dry_run: bool) -> dict[str, int]:
        """Return the attributes of the totals span: numbers all of them, ``backfill.dry_run`` too."""
        totals = {f"backfill.{name}": getattr(self, name) for name in TOTALS}
        return {"backfill.dry_run": int(dry_run), **totals}
