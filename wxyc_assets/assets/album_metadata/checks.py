"""The checks of album_metadata: what each promises, and how a run's numbers decide it. Pure."""

from dataclasses import dataclass

from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.runs.counts import unaccounted
from wxyc_assets.runs.findings import QUARANTINED, Check, Finding

HEALTHY_ERROR_RATE = 0.05
"""The fraction of albums that may end in ``error``. Source: how the runbook reads the first batches."""

MIN_ANSWERS = 20
"""With fewer albums a share is not significant."""

CHECKS = (
    Check(
        "accounting_holds",
        "Every pending album is counted as scanned, in exactly one outcome, and every match has its row.",
    ),
    Check(
        "unexpected_index_is_zero",
        "Every answer stood at the position that its index names; another one could be about another album.",
        blocking=True,
    ),
    Check(
        "unexpected_index_24h_is_zero",
        "According to the ledger, no run of the last 24 hours met an answer with an unexpected index. This check only alerts.",
        scope="asset",
        stored=True,
    ),
    Check(
        "contract_violations_zero",
        "Every answer keeps to the contract; others are quarantined, never written.",
    ),
    Check(
        "writer_errors_zero",
        "Every row could be written; if the table refuses one row, the others are written.",
    ),
    Check("surplus_answers_zero", "LML gave no more answers than the request had albums."),
    Check(
        "error_rate_healthy",
        f"Fewer than {HEALTHY_ERROR_RATE:.0%} of the albums that the run asked about ended in error.",
    ),
)


@dataclass(frozen=True)
class RecentMismatches:
    """How many results of the last 24 hours had an unexpected index, over all shards and runs, and the first of them."""

    mismatches: int
    album_id: int | None = None
    reason: str | None = None
    run_id: str | None = None

    def __str__(self) -> str:
        """Return the number and the first mismatch."""
        first = (
            f"; the first: album {self.album_id}, {self.reason}, in run {self.run_id}"
            if self.album_id is not None
            else ""
        )
        return f"{self.mismatches} results had an unexpected index within 24 h{first}"


def accounting(counters: Counters, *, processed: Counters, inputs_read: int) -> Finding:
    """Prove that every album has one outcome, and every match one row or a reason for none; a dry run proves it too.

    ``processed`` and ``inputs_read`` count the shards that were processed to their end. A shard that ended half-way has read
    albums without an outcome, and the report shows it as failed instead.
    """
    disagreement = unaccounted(inputs_read=inputs_read, scanned=processed.scanned, in_buckets=processed.accounted)
    if not disagreement and counters.match != counters.rows_accounted:
        disagreement = f"{counters.match} albums matched, and the rows of {counters.rows_accounted} have an outcome"
    return Finding(
        "accounting_holds",
        passed=not disagreement and counters.scanned == counters.accounted,
        numbers={"inputs_read": inputs_read, "scanned": processed.scanned, "accounted": processed.accounted},
        description=disagreement,
    )


def of_answers(counters: Counters) -> list[Finding]:
    """Return the findings about LML's answers."""
    return [
        _none_of("unexpected_index_is_zero", "unexpected_index", counters),
        _none_of("contract_violations_zero", "contract_violation", counters),
        _none_of("writer_errors_zero", "writer_error", counters),
        Finding(
            "surplus_answers_zero",
            passed=not counters.answers_untrusted,
            severity="WARN",
            numbers={"answers_untrusted": counters.answers_untrusted},
            description="LML gave more answers than the request had albums; the run ignored the surplus"
            if counters.answers_untrusted
            else "",
        ),
        _error_rate(counters),
    ]


def of_last_day(recent: RecentMismatches) -> Finding:
    """Return the finding about the unexpected indexes of all runs within the last 24 hours. It only alerts."""
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
    asked = counters.asked
    rate = counters.error / asked if asked else 0.0
    high = asked >= MIN_ANSWERS and rate >= HEALTHY_ERROR_RATE
    return Finding(
        "error_rate_healthy",
        passed=not high,
        severity="WARN",
        numbers={"error": counters.error, "asked": asked, "error_rate": rate},
        description=f"{rate:.1%} of the albums that the run asked about ended in error; they stay pending"
        if high
        else "",
    )
