"""The checks of library_identity: what each promises, and how a run's numbers decide it. Pure."""

from collections.abc import Mapping, Sequence

from wxyc_assets.assets.library_identity.counters import Counters, summed
from wxyc_assets.runs.counts import unaccounted
from wxyc_assets.runs.findings import QUARANTINED, Check, Finding

UNRESOLVED_RISE = 0.10
"""How far the unresolved share may rise above that of the last runs, as a fraction."""

MIN_ANSWERS = 50
"""With fewer answers a share is not significant."""

CHECKS = (
    Check("accounting_holds", "Every library that was read is counted as scanned, and in exactly one outcome."),
    Check(
        "answers_trusted",
        "LML answered for exactly the libraries of each request: no answer was foreign, repeated or missing.",
        blocking=True,
    ),
    Check(
        "contract_violations_zero",
        "Every verdict keeps to the contract; others are quarantined, never written.",
    ),
    Check(
        "writer_errors_zero",
        "Every verdict could be written; if the tables refuse one library, the others are written.",
    ),
    Check("eligible_left_zero", "No library of these shards that was eligible when the run began is still eligible."),
    Check(
        "unresolved_rate_usual",
        f"The unresolved share rose by no more than {UNRESOLVED_RISE:.0%} above that of the last runs.",
    ),
)


def of_answers(counters: Counters, *, processed: Counters, inputs_read: int) -> list[Finding]:
    """Return the findings about LML's answers; a dry run has them too.

    ``processed`` and ``inputs_read`` count the shards that were processed to their end. A shard that ended half-way has read
    inputs without an outcome, and the report shows it as failed instead.
    """
    disagreement = unaccounted(inputs_read=inputs_read, scanned=processed.scanned, in_buckets=processed.accounted)
    untrusted = {
        "answers_untrusted": counters.answers_untrusted,
        "lml_untrusted_library_id": counters.lml_untrusted_library_id,
        "lml_cardinality_mismatch": counters.lml_cardinality_mismatch,
    }
    return [
        Finding(
            "accounting_holds",
            passed=not disagreement and counters.scanned == counters.accounted,
            numbers={"inputs_read": inputs_read, "scanned": processed.scanned, "accounted": processed.accounted},
            description=disagreement,
        ),
        Finding(
            "answers_trusted",
            passed=not any(untrusted.values()),
            numbers={**untrusted, "scanned": counters.scanned},
            description="LML answered for libraries that were not in the request, or left some out; those were not written"
            if any(untrusted.values())
            else "",
        ),
        _none_of("contract_violations_zero", "contract_violation", counters),
    ]


def of_storage(counters: Counters, *, eligible_left: Mapping[int, int], recent: Sequence[Counters]) -> list[Finding]:
    """Return the findings about the tables after the run.

    Args:
        counters: of the run.
        eligible_left: how many libraries are still eligible, by shard.
        recent: the counters of earlier runs.
    """
    left = sum(eligible_left.values())
    return [
        _none_of("writer_errors_zero", "writer_error", counters),
        Finding(
            "eligible_left_zero",
            passed=left == 0,
            numbers={
                "eligible_left": left,
                **{f"shard_{shard}": count for shard, count in sorted(eligible_left.items())},
            },
            description=f"{left} libraries are still eligible; the next run asks about them" if left else "",
            partitions=[str(shard) for shard, count in sorted(eligible_left.items()) if count],
        ),
        unresolved_rate(counters, recent),
    ]


def unresolved_rate(counters: Counters, recent: Sequence[Counters]) -> Finding:
    """Compare the unresolved share with that of earlier runs; the check passes if either side has too few answers."""
    now, before = _unresolved_share(counters), _unresolved_share(summed(recent))
    numbers: dict[str, float] = {"unresolved": counters.unresolved, "answered": _answered(counters)}
    if now is not None:
        numbers["unresolved_rate"] = now
    if before is not None:
        numbers["unresolved_rate_before"] = before
    rose = now is not None and before is not None and now > before + UNRESOLVED_RISE
    return Finding(
        "unresolved_rate_usual",
        passed=not rose,
        severity="WARN",
        numbers=numbers,
        description=f"{now:.1%} unresolved, {before:.1%} in the last runs" if rose else "",
    )


def _none_of(name: str, counter: str, counters: Counters) -> Finding:
    count = getattr(counters, counter)
    return Finding(
        name,
        passed=count == 0,
        numbers={counter: count, "scanned": counters.scanned},
        description=QUARANTINED if count else "",
    )


def _answered(counters: Counters) -> int:
    return counters.resolved + counters.unresolved


def _unresolved_share(counters: Counters) -> float | None:
    answered = _answered(counters)
    return counters.unresolved / answered if answered >= MIN_ANSWERS else None
