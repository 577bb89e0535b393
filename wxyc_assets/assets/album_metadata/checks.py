"""What must hold after a run of album_metadata, decided on its numbers. Pure."""

from dataclasses import dataclass

from wxyc_assets.accounting import unaccounted
from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.finding import Finding

HEALTHY_ERROR_RATE = 0.05
"""The share of albums that may end in ``error``, in parts of one. Source: the runbook's reading of the first batches."""

ENOUGH_ANSWERS = 20
"""Below so many albums a share says nothing."""

QUARANTINED = "reasons and digests are in wxyc_assets.quarantine"


@dataclass(frozen=True)
class RecentMismatches:
    """The rows under a foreign index of the last 24 hours, over all shards and runs, and the first of them."""

    mismatches: int
    album_id: int | None = None
    reason: str | None = None
    run_id: str | None = None

    def __str__(self) -> str:
        """Name the first mismatch."""
        first = (
            f"; the first: album {self.album_id}, {self.reason}, in run {self.run_id}"
            if self.album_id is not None
            else ""
        )
        return f"{self.mismatches} rows came under a foreign index within 24 h{first}"


def accounting(counters: Counters, *, walked: Counters, inputs_read: int) -> Finding:
    """Prove that every album has one outcome, and every match one row or a reason for none; a dry run proves it too.

    ``walked`` and ``inputs_read`` count the shards that were walked to their end: a shard that the database lost half-way
    has read albums that nothing was made of, and is reported as failed instead.
    """
    disagreement = unaccounted(inputs_read=inputs_read, scanned=walked.scanned, in_buckets=walked.accounted)
    if not disagreement and counters.match != counters.rows_accounted:
        disagreement = (
            f"{counters.match} albums matched, of {counters.rows_accounted} it is known what became of the row"
        )
    return Finding(
        "accounting_holds",
        passed=not disagreement and counters.scanned == counters.accounted,
        numbers={"inputs_read": inputs_read, "scanned": walked.scanned, "accounted": walked.accounted},
        description=disagreement,
    )


def of_answers(counters: Counters) -> list[Finding]:
    """Return what a run can say of LML's answers."""
    return [
        _none_of("unexpected_index_is_zero", "unexpected_index", counters),
        _none_of("contract_violations_zero", "contract_violation", counters),
        _none_of("writer_errors_zero", "writer_error", counters),
        Finding(
            "surplus_answers_zero",
            passed=not counters.answers_untrusted,
            severity="WARN",
            numbers={"answers_untrusted": counters.answers_untrusted},
            description="LML gave more answers than albums were asked; they were ignored"
            if counters.answers_untrusted
            else "",
        ),
        _error_rate(counters),
    ]


def of_the_last_day(recent: RecentMismatches) -> Finding:
    """Look at the rows under a foreign index of all runs together; it only alerts."""
    return Finding(
        "unexpected_index_24h_is_zero",
        passed=not recent.mismatches,
        severity="WARN",
        numbers={"unexpected_index_24h": recent.mismatches}
        | ({"first_mismatch_album_id": recent.album_id} if recent.album_id is not None else {}),
        description=str(recent) if recent.mismatches else "",
    )


def _none_of(name: str, counter: str, counters: Counters) -> Finding:
    count = getattr(counters, counter)
    return Finding(
        name,
        passed=count == 0,
        numbers={counter: count, "scanned": counters.scanned},
        description=f"{count} albums; {QUARANTINED}" if count else "",
    )


def _error_rate(counters: Counters) -> Finding:
    asked = counters.answered + counters.batch_error
    rate = counters.error / asked if asked else 0.0
    high = asked >= ENOUGH_ANSWERS and rate >= HEALTHY_ERROR_RATE
    return Finding(
        "error_rate_healthy",
        passed=not high,
        severity="WARN",
        numbers={"error": counters.error, "asked": asked, "error_rate": rate},
        description=f"{rate:.1%} of the albums asked about ended in error; they stay pending" if high else "",
    )
