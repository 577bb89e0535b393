"""What a run of library_identity counts, under the names that dashboards and runbooks already read."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from wxyc_assets.accounting import Counts

Bucket = Literal[
    "resolved",
    "unresolved",
    "compilation",
    "lml_error",
    "writer_error",
    "lml_cardinality_mismatch",
    "lml_untrusted_library_id",
    "contract_violation",
]
"""The outcome of one input. Every input of a run ends in exactly one."""

SKIPPED: tuple[Bucket, ...] = (
    "compilation",
    "lml_error",
    "writer_error",
    "lml_cardinality_mismatch",
    "lml_untrusted_library_id",
    "contract_violation",
)

TRACK_COUNTERS = (
    "rows_resolved_compilation",
    "compilation_track_rows_written",
    "compilation_track_rows_skipped_unchanged",
    "compilation_track_rows_skipped_librarian",
    "compilation_track_rows_skipped_no_cta_match",
    "compilation_track_rows_skipped_no_catalog_artist",
    "compilation_track_position_rows_written",
    "compilation_track_position_rows_skipped_ambiguous",
)
"""Names that dashboards read and that stay 0: no track is asked for, so none can be counted."""


@dataclass(frozen=True)
class Counters(Counts):
    """Counts of one shard or of a whole run. ``scanned`` and the buckets count inputs; the rest stands beside them."""

    scanned: int = 0
    resolved: int = 0
    unresolved: int = 0
    compilation: int = 0
    lml_error: int = 0
    writer_error: int = 0
    lml_cardinality_mismatch: int = 0
    lml_untrusted_library_id: int = 0
    contract_violation: int = 0
    answers_untrusted: int = 0
    source_rows_skipped_null_confidence: int = 0
    source_rows_skipped_invalid: int = 0
    history_rows_written: int = 0
    lml_total_calls: int = 0
    lml_total_latency_ms: int = 0

    @property
    def accounted(self) -> int:
        """Inputs that some bucket holds; equal to ``scanned`` when every input was counted exactly once."""
        return self.resolved + self.unresolved + sum(int(getattr(self, bucket)) for bucket in SKIPPED)

    def totals(self) -> dict[str, Any]:
        """Return the counters under the contract's names, ``rows_skipped`` nested."""
        return {
            "scanned": self.scanned,
            "rows_resolved": self.resolved,
            "rows_unresolved": self.unresolved,
            "rows_skipped": {bucket: getattr(self, bucket) for bucket in SKIPPED},
            "answers_untrusted": self.answers_untrusted,
            "source_rows_skipped_null_confidence": self.source_rows_skipped_null_confidence,
            "source_rows_skipped_invalid": self.source_rows_skipped_invalid,
            "history_rows_written": self.history_rows_written,
            **dict.fromkeys(TRACK_COUNTERS, 0),
            "lml_total_calls": self.lml_total_calls,
            "lml_total_latency_ms": self.lml_total_latency_ms,
        }

    def dry_run_report(self) -> dict[str, Any]:
        """Return the contract's locked dry-run object: these keys, no others."""
        return {
            "scanned": self.scanned,
            "lml_total_calls": self.lml_total_calls,
            "lml_total_latency_ms": self.lml_total_latency_ms,
            "would_resolve": self.resolved,
            "would_resolve_compilation": 0,
            "would_unresolved": self.unresolved,
            "would_skip": {
                "compilation": self.compilation,
                "lml_error": self.lml_error,
                "lml_cardinality_mismatch": self.lml_cardinality_mismatch,
                "lml_untrusted_library_id": self.lml_untrusted_library_id,
            },
            "source_rows_skipped_null_confidence": self.source_rows_skipped_null_confidence,
        }


def summed(parts: Iterable[Counters]) -> Counters:
    """Add up counters."""
    return sum(parts, Counters())


def flattened(totals: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, int]]:
    """Yield ``<prefix>.<counter>`` with its number, nested ones as ``<prefix>.rows_skipped.<bucket>``: span attributes."""
    for name, value in totals.items():
        if isinstance(value, Mapping):
            yield from flattened(value, f"{prefix}.{name}")
        else:
            yield f"{prefix}.{name}", value
