"""The checks of rotation_cache: what each promises, and how a run's numbers decide it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resources.deploy_gate.rules import GateDecision
from wxyc_assets.assets.rotation_cache.counters import Counters
from wxyc_assets.runs.counts import unaccounted
from wxyc_assets.runs.findings import Check, Finding

GATE = "deploy_gate_open"
NOT_FOUND_RATE = "not_found_rate"
"""The checks that can be evaluated without a run."""

MAX_NOT_FOUND_PCT = 1
"""The check fails if LML does not know more than this percentage of the identities. Source: DESIGN section 6."""

HEALTHY_ERROR_RATE = 0.05
"""The check warns from this share of identities in ``lml_error``, a fraction of 1."""

MIN_IDENTITIES = 20
"""With fewer identities, the share of errors is not evaluated."""

CHECKS = (
    Check(
        GATE,
        "LML is recent enough to be asked for refreshes.",
        blocking=True,
        scope="asset",
        stored=True,
    ),
    Check("accounting_holds", "Every identity is counted as scanned, and has exactly one outcome.", scope="asset"),
    Check(
        "answers_trusted",
        "LML answered for each identity of the request exactly once, and for no other.",
        scope="asset",
    ),
    Check(
        NOT_FOUND_RATE,
        f"At most {MAX_NOT_FOUND_PCT} % of the identities that LML answered for in the last 24 hours, in all runs, are "
        "unknown to it, according to the ledger.",
        scope="asset",
        stored=True,
    ),
    Check(
        "error_rate_healthy",
        f"Fewer than {HEALTHY_ERROR_RATE:.0%} of the identities asked about ended in lml_error.",
        scope="asset",
    ),
)


@dataclass(frozen=True)
class RecentRefreshes:
    """The counts of all runs of the last 24 hours together, and the first identities that LML still does not know."""

    identities_scanned: int
    lml_error: int
    not_found: int
    stale_ids: Sequence[int] = ()

    @property
    def answered(self) -> int:
        """Identities with an answer. Errors are left out: they can neither hide an unknown identity nor count as one."""
        return self.identities_scanned - self.lml_error

    @property
    def numbers(self) -> dict[str, Any]:
        """The share that decides the check, the predecessor's share of all scanned identities, and the counts of both."""
        return {
            "numerator": self.not_found,
            "denominator": self.answered,
            "not_found_rate": _share(self.not_found, self.answered),
            "identities_scanned": self.identities_scanned,
            "lml_error": self.lml_error,
            "not_found_rate_of_scanned": _share(self.not_found, self.identities_scanned),
            "stale_identity_ids": list(self.stale_ids),
        }

    def __str__(self) -> str:
        """How many identities LML does not know, in words."""
        first = ", ".join(map(str, self.stale_ids)) or "none is still unknown"
        return (
            f"LML does not know {self.not_found} of the {self.answered} identities that it answered for within 24 h "
            f"({self.numbers['not_found_rate']:.2%}; {self.numbers['not_found_rate_of_scanned']:.2%} of those scanned); "
            f"the first: {first}"
        )


def of_gate(gate_decision: GateDecision) -> Finding:
    """Return the decision of the deploy gate as a finding."""
    return Finding(
        GATE,
        passed=gate_decision.is_open,
        numbers={"commit_sha": gate_decision.commit_sha or "not said"},
        description=gate_decision.reason,
    )


def accounting(counters: Counters, *, inputs_read: int, dry_run: bool) -> Finding:
    """Check that every identity was counted once, and that ``identities_resolved`` is the sum of its buckets.

    A dry run calls no LML, so its identities have no outcome to compare with what was read.
    """
    in_buckets = counters.identities_scanned if dry_run else counters.accounted
    disagreement = unaccounted(inputs_read=inputs_read, scanned=counters.identities_scanned, in_buckets=in_buckets)
    if not disagreement and counters.identities_resolved != counters.resolved_in_buckets:
        disagreement = (
            f"{counters.identities_resolved} identities were counted as resolved, but their buckets add up to "
            f"{counters.resolved_in_buckets}"
        )
    return Finding(
        "accounting_holds",
        passed=not disagreement,
        numbers={
            "inputs_read": inputs_read,
            "identities_scanned": counters.identities_scanned,
            "accounted": counters.accounted,
            "identities_resolved": counters.identities_resolved,
        },
        description=disagreement,
    )


def of_answers(counters: Counters) -> list[Finding]:
    """Return the findings on LML's answers."""
    untrusted = counters.answers_untrusted or counters.answer_missing
    return [
        Finding(
            "answers_trusted",
            passed=not untrusted,
            numbers={
                "answers_untrusted": counters.answers_untrusted,
                "answer_missing": counters.answer_missing,
                "identities_scanned": counters.identities_scanned,
            },
            description=(
                f"{counters.answers_untrusted} answers belong to no identity of the request, "
                f"{counters.answer_missing} identities got none"
                if untrusted
                else ""
            ),
        ),
        _error_rate(counters),
    ]


def of_the_last_day(recent: RecentRefreshes) -> Finding:
    """Check the share of identities that LML does not know, over all runs; without any answer the check passes."""
    stale = 100 * recent.not_found > MAX_NOT_FOUND_PCT * recent.answered
    return Finding(NOT_FOUND_RATE, passed=not stale, numbers=recent.numbers, description=str(recent) if stale else "")


def _error_rate(counters: Counters) -> Finding:
    scanned = counters.identities_scanned
    rate = _share(counters.lml_error, scanned)
    high = scanned >= MIN_IDENTITIES and rate >= HEALTHY_ERROR_RATE
    return Finding(
        "error_rate_healthy",
        passed=not high,
        severity="WARN",
        numbers={"lml_error": counters.lml_error, "identities_scanned": scanned, "error_rate": rate},
        description=f"{rate:.1%} of the identities asked about ended in lml_error; the next run asks again"
        if high
        else "",
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
