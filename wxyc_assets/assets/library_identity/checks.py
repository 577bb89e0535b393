"""What must hold after a run of library_identity, decided on its numbers. Pure."""

from collections.abc import Mapping, Sequence

from wxyc_assets.accounting import unaccounted
from wxyc_assets.finding import Finding
from wxyc_assets.library_identity.counters import Counters, summed

UNRESOLVED_RISE = 0.10
"""How far the unresolved share may rise above that of the last runs, in parts of one."""

ENOUGH_ANSWERS = 50
"""Below so many answers a share says nothing."""

QUARANTINED = "reasons and digests are in wxyc_assets.quarantine"


def of_answers(counters: Counters, *, walked: Counters, inputs_read: int) -> list[Finding]:
    """Return what a run can say of LML's answers, a dry run too.

    ``walked`` and ``inputs_read`` count the shards that were walked to their end: a shard that the database lost half-way
    has read inputs that nothing was made of, and is reported as failed instead.
    """
    disagreement = unaccounted(inputs_read=inputs_read, scanned=walked.scanned, in_buckets=walked.accounted)
    untrusted = {
        "answers_untrusted": counters.answers_untrusted,
        "lml_untrusted_library_id": counters.lml_untrusted_library_id,
        "lml_cardinality_mismatch": counters.lml_cardinality_mismatch,
    }
    return [
        Finding(
            "accounting_holds",
            passed=not disagreement and counters.scanned == counters.accounted,
            numbers={"inputs_read": inputs_read, "scanned": walked.scanned, "accounted": walked.accounted},
            description=disagreement,
        ),
        Finding(
            "answers_trusted",
            passed=not any(untrusted.values()),
            numbers={**untrusted, "scanned": counters.scanned},
            description="LML answered about libraries that it was not asked about, or left some out; none of that was written"
            if any(untrusted.values())
            else "",
        ),
        _none_of("contract_violations_zero", "contract_violation", counters),
    ]


def of_storage(counters: Counters, *, eligible_left: Mapping[int, int], recent: Sequence[Counters]) -> list[Finding]:
    """Return what a run can say of what it left behind; ``eligible_left`` by shard, ``recent`` of earlier runs."""
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
            description=f"{left} libraries still need asking; the next run will" if left else "",
            partitions=[str(shard) for shard, count in sorted(eligible_left.items()) if count],
        ),
        unresolved_rate(counters, recent),
    ]


def unresolved_rate(counters: Counters, recent: Sequence[Counters]) -> Finding:
    """Compare the unresolved share with that of earlier runs; too few answers on either side prove nothing and pass."""
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
    return counters.unresolved / answered if answered >= ENOUGH_ANSWERS else None
