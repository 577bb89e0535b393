"""The counters of library_identity, under the names that dashboards and the runbook already read. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wxyc_assets.runs.counts import Counts

Bucket = Literal[
    "resolved",
    "resolved_compilation",
    "unresolved",
    "compilation",
    "lml_error",
    "lml_refused",
    "manual_differs",
    "writer_error",
    "lml_cardinality_mismatch",
    "lml_untrusted_library_id",
    "contract_violation",
]
"""The outcome of one input. Every input of a run has exactly one."""

SKIPPED: tuple[Bucket, ...] = (
    "compilation",
    "lml_error",
    "lml_refused",
    "manual_differs",
    "writer_error",
    "lml_cardinality_mismatch",
    "lml_untrusted_library_id",
    "contract_violation",
)


@dataclass(frozen=True)
class TrackCounters(Counts):
    """How many track credits of compilations were written, and why others were not. A row can count in several.

    ``no_cta_match`` counts credits that LML names and the station does not have; the others count rows of
    ``compilation_track_artist``.
    """

    compilation_track_rows_written: int = 0
    compilation_track_rows_skipped_unchanged: int = 0
    compilation_track_rows_skipped_librarian: int = 0
    compilation_track_rows_skipped_no_cta_match: int = 0
    compilation_track_rows_skipped_no_catalog_artist: int = 0
    compilation_track_position_rows_written: int = 0
    compilation_track_position_rows_skipped_ambiguous: int = 0


TRACK_COUNTERS = tuple(TrackCounters().stored())


@dataclass(frozen=True)
class Counters(TrackCounters):
    """Counts of one shard or of a whole run. ``scanned`` and the buckets count inputs; the other counters do not."""

    scanned: int = 0
    resolved: int = 0
    resolved_compilation: int = 0
    unresolved: int = 0
    compilation: int = 0
    lml_error: int = 0
    lml_refused: int = 0
    manual_differs: int = 0
    writer_error: int = 0
    lml_cardinality_mismatch: int = 0
    lml_untrusted_library_id: int = 0
    contract_violation: int = 0
    answers_untrusted: int = 0
    source_rows_skipped_null_confidence: int = 0
    source_rows_skipped_invalid: int = 0
    compilation_track_entries_skipped_invalid: int = 0
    history_rows_written: int = 0
    lml_total_calls: int = 0
    lml_total_latency_ms: int = 0

    @property
    def accounted(self) -> int:
        """Inputs that have a bucket; equal to ``scanned`` when every input was counted exactly once."""
        answered = self.resolved + self.resolved_compilation + self.unresolved
        return answered + sum(int(getattr(self, bucket)) for bucket in SKIPPED)

    def answered_nothing(self, inputs_read: int) -> bool:
        """Return whether LML answered for none of the libraries that were read."""
        return inputs_read > 0 and self.lml_error == inputs_read

    def totals(self) -> dict[str, Any]:
        """Return the counters under the contract's names, ``rows_skipped`` nested."""
        return {
            "scanned": self.scanned,
            "rows_resolved": self.resolved,
            "rows_resolved_compilation": self.resolved_compilation,
            "rows_unresolved": self.unresolved,
            "rows_skipped": {bucket: getattr(self, bucket) for bucket in SKIPPED},
            "answers_untrusted": self.answers_untrusted,
            "source_rows_skipped_null_confidence": self.source_rows_skipped_null_confidence,
            "source_rows_skipped_invalid": self.source_rows_skipped_invalid,
            "history_rows_written": self.history_rows_written,
            **{name: getattr(self, name) for name in TRACK_COUNTERS},
            "compilation_track_entries_skipped_invalid": self.compilation_track_entries_skipped_invalid,
            "lml_total_calls": self.lml_total_calls,
            "lml_total_latency_ms": self.lml_total_latency_ms,
        }

    def dry_run_report(self) -> dict[str, Any]:
        """Return the contract's locked dry-run object: exactly these keys."""
        return {
            "scanned": self.scanned,
            "lml_total_calls": self.lml_total_calls,
            "lml_total_latency_ms": self.lml_total_latency_ms,
            "would_resolve": self.resolved,
            "would_resolve_compilation": self.resolved_compilation,
            "would_unresolved": self.unresolved,
            "would_skip": {
                "compilation": self.compilation,
                "lml_error": self.lml_error + self.lml_refused,
                "lml_cardinality_mismatch": self.lml_cardinality_mismatch,
                "lml_untrusted_library_id": self.lml_untrusted_library_id,
            },
            "source_rows_skipped_null_confidence": self.source_rows_skipped_null_confidence,
        }


def summed(parts: Iterable[Counters]) -> Counters:
    """Add up counters."""
    return sum(parts, Counters())


def flattened(totals: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, int]]:
    """Yield each counter as a span attribute: ``<prefix>.<counter>``, or ``<prefix>.rows_skipped.<bucket>``."""
    for name, value in totals.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}", value
