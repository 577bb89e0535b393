"""What must hold after a run of rotation_cache, decided on its numbers. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from resources.deploy_gate.rules import Ruling
from wxyc_assets.accounting import unaccounted
from wxyc_assets.finding import Finding
from wxyc_assets.rotation_cache.counters import Counters

GATE = "deploy_gate_open"
NOT_FOUND_RATE = "not_found_rate"
"""The checks that can be looked at without a run."""

TOLERATED_PCT = 1
"""More than so many per cent of stale identities fail the check. Source: DESIGN section 6."""

HEALTHY_ERROR_RATE = 0.05
"""The share of identities that may end in ``lml_error``, in parts of one."""

ENOUGH_IDENTITIES = 20
"""Below so many identities a share of errors says nothing."""


@dataclass(frozen=True)
class Recent:
    """What all runs of the last 24 hours counted together, and the first of the identities that LML does not know now."""

    identities_scanned: int
    lml_error: int
    not_found: int
    stale_ids: Sequence[int] = ()

    @property
    def answered(self) -> int:
        """Identities that LML gave an answer for: errors can neither hide a stale identity nor be taken for one."""
        return self.identities_scanned - self.lml_error

    @property
    def numbers(self) -> dict[str, Any]:
        """The share that is decided on, the predecessor's share of all that was scanned, and what both are made of."""
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
        """Say how many identities are stale."""
        first = ", ".join(map(str, self.stale_ids)) or "none is stale by now"
        return (
            f"LML does not know {self.not_found} of the {self.answered} identities that it answered for within 24 h "
            f"({self.numbers['not_found_rate']:.2%}; {self.numbers['not_found_rate_of_scanned']:.2%} of those scanned); "
            f"the first: {first}"
        )


def of_gate(ruling: Ruling) -> Finding:
    """Return what the deploy gate said."""
    return Finding(
        GATE,
        passed=ruling.is_open,
        numbers={"commit_sha": ruling.commit_sha or "not said"},
        description=ruling.reason,
    )


def accounting(counters: Counters, *, inputs_read: int, dry_run: bool) -> Finding:
    """Prove that every identity was counted once, and that those resolved are those in the buckets for it.

    A dry run asks nobody, so that its identities have no outcome that could be held against what was read.
    """
    in_buckets = counters.identities_scanned if dry_run else counters.accounted
    disagreement = unaccounted(inputs_read=inputs_read, scanned=counters.identities_scanned, in_buckets=in_buckets)
    if not disagreement and counters.identities_resolved != counters.resolved_in_buckets:
        disagreement = (
            f"{counters.identities_resolved} identities were counted as resolved, {counters.resolved_in_buckets} are in the "
            "buckets that make them up"
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
    """Return what a run can say of LML's answers."""
    distrusted = counters.answers_untrusted or counters.answer_missing
    return [
        Finding(
            "answers_trusted",
            passed=not distrusted,
            numbers={
                "answers_untrusted": counters.answers_untrusted,
                "answer_missing": counters.answer_missing,
                "identities_scanned": counters.identities_scanned,
            },
            description=(
                f"{counters.answers_untrusted} answers were to nothing asked, {counters.answer_missing} identities got none"
                if distrusted
                else ""
            ),
        ),
        _error_rate(counters),
    ]


def of_the_last_day(recent: Recent) -> Finding:
    """Look at the identities that LML does not know, of all runs together; with none answered for there is nothing to fail."""
    stale = 100 * recent.not_found > TOLERATED_PCT * recent.answered
    return Finding(NOT_FOUND_RATE, passed=not stale, numbers=recent.numbers, description=str(recent) if stale else "")


def _error_rate(counters: Counters) -> Finding:
    scanned = counters.identities_scanned
    rate = _share(counters.lml_error, scanned)
    high = scanned >= ENOUGH_IDENTITIES and rate >= HEALTHY_ERROR_RATE
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
