"""Which alerts the end of a run raises, and what it recovers. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from wxyc_assets.monitoring.alerts.run_facts import WHOLE_ASSET, AssetFacts, Evaluation, Failure, RunEnd, RunFacts

Kind = Literal["check", "unevaluated", "run", "late", "stale", "cause", "unreadable"]
Level = Literal["warning", "error"]

BLOCKING_CHECK_FAILED = frozenset({"BlockingCheckError", "DagsterAssetCheckFailedError"})
"""The exceptions of a step whose blocking check failed, ours and Dagster's: such a failure has no cause of its own."""


MONEY = frozenset(
    {
        *("ambiguous_base_zero", "ambiguous_org_zero", "negative_tokens_zero", "price_changed"),
        *("reconciled_deletions", "sealed_hours_stand", "unattributable_zero", "unpriced_zero"),
    }
)
"""The checks of rated_usage whose alerts no later run recovers: a bill was wrong or has moved, and an operator has to know."""


@dataclass(frozen=True)
class Alert:
    """A failure or a condition that the outbox stores.

    Attributes:
        asset: the asset's name.
        kind: what failed.
        source: the check, the step, or the name of the condition.
        level: how severe it is.
        message: what happened, in one or more lines.
        partitions: what has to recover before the alert is closed; never empty.
        error_class: the class of the exception at the root; empty if there is none.
        part_of: the fingerprint of the alert that has the same cause, and whose Sentry event names this one.
        details: values for Sentry and for ``wxyc alerts``.
    """

    asset: str
    kind: Kind
    source: str
    level: Level
    message: str
    partitions: frozenset[str]
    error_class: str = ""
    part_of: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The identity of the alert: the asset, the source, and the class of the exception at the root."""
        return "/".join(filter(None, (self.asset, self.source, self.error_class)))

    @property
    def needs_acknowledgement(self) -> bool:
        """Whether the alert stays open until an operator acknowledges it."""
        return is_money(self.asset, self.kind, self.source)


@dataclass(frozen=True)
class Recovery:
    """Partitions that recover from the alerts of one kind about an asset; ``source`` None: whatever their step is."""

    asset: str
    kind: Kind
    source: str | None
    partitions: frozenset[str]


@dataclass(frozen=True)
class AlertChanges:
    """What a run changes in the outbox; recoveries are applied first, because a run's failures are the latest facts."""

    recovered: Sequence[Recovery]
    raised: Sequence[Alert]


def alert_changes(run: RunFacts) -> AlertChanges:
    """Decide what a finished run recovers and raises, each alert before those that are part of it.

    A failed check raises an alert, however the run ended. So does a failed run, and each check that the run could not evaluate
    because its step failed. A run that was canceled raises no alert of the run.
    """
    return AlertChanges(
        recovered=[recovery for asset in run.assets for recovery in _recoveries(asset, run.end)],
        raised=[alert for asset in run.assets for alert in _alerts(asset, run.end)],
    )


def is_money(asset: str, kind: str, source: str) -> bool:
    """Return whether an alert is about money, so that it stays open until an operator acknowledges it."""
    return asset == "rated_usage" and kind == "check" and source in MONEY


def unacknowledged(alert: Alert, acknowledged: Mapping[str, int]) -> Alert | None:
    """Return an alert without the partitions that were acknowledged and got no worse; None if none is left.

    ``acknowledged``: the largest number of failures that an operator acknowledged, by partition.
    """
    counts: Mapping[str, int] = alert.details.get("by_partition") or {}
    left = frozenset(key for key in alert.partitions if key not in counts or acknowledged.get(key, -1) < counts[key])
    return replace(alert, partitions=left) if left else None


def still_failing(alert: Alert, recovered: Iterable[Recovery]) -> Alert | None:
    """Return an alert without the partitions that later runs recovered already; None if none is left."""
    left = alert.partitions
    for recovery in recovered:
        if (recovery.asset, recovery.kind) == (alert.asset, alert.kind) and recovery.source in {None, alert.source}:
            left -= recovery.partitions
    return replace(alert, partitions=left) if left else None


def unreadable_run(run_id: str, error: Exception) -> Alert:
    """Return the alert about a run of which Dagster's record cannot be read; it says nothing else about the run."""
    problem = f"{type(error).__name__}: {error}".partition("\n")[0]
    return Alert(
        asset="Dagster",
        kind="unreadable",
        source="unreadable_run",
        level="error",
        message=f"Dagster's record of a run cannot be read, so that its own alerts are missing: run {run_id}: {problem}",
        partitions=frozenset({run_id}),
    )


def _recoveries(facts: AssetFacts, end: RunEnd) -> Iterator[Recovery]:
    credited = frozenset(facts.credited)
    for evaluation in facts.evaluations:
        yield Recovery(facts.asset, "unevaluated", evaluation.check, frozenset({WHOLE_ASSET}))
        if evaluation.passed and not is_money(facts.asset, "check", evaluation.check):
            covered = _covered(evaluation, credited) | {WHOLE_ASSET}
            yield Recovery(facts.asset, "check", evaluation.check, covered)
    # A run that failed after it credited all of its partitions failed as a whole: none of them is a recovery.
    if credited and (end == "success" or facts.missed):
        yield Recovery(facts.asset, "run", None, credited | {WHOLE_ASSET})


def _alerts(facts: AssetFacts, end: RunEnd) -> Iterator[Alert]:
    # The conditions cover a failed check whose scope is "watched".
    failed = [_failed_check(facts, one) for one in facts.evaluations if not one.passed and one.scope != "watched"]
    yield from failed
    if end != "failure" or facts.failure is None:
        return
    cause = _blocking_cause(facts.failure, failed)
    if cause is None and facts.failure.error_class in BLOCKING_CHECK_FAILED:
        return  # checks that were executed alone repeat the failure of an earlier run, which has its alert
    run = _failed_run(facts, facts.failure, cause)
    yield run
    for check in sorted(facts.unevaluated):
        yield _unevaluated(facts, check, facts.failure, run.part_of or run.fingerprint)


def _failed_check(facts: AssetFacts, evaluation: Evaluation) -> Alert:
    numbers = ", ".join(f"{name} {number}" for name, number in evaluation.numbers.items())
    reason = evaluation.description or numbers
    return Alert(
        asset=facts.asset,
        kind="check",
        source=evaluation.check,
        level="error" if evaluation.severity == "ERROR" else "warning",
        message=f"{facts.asset}: check {evaluation.check} failed" + (f": {reason}" if reason else ""),
        partitions=_covered(evaluation, evaluation.partitions or facts.planned),
        details={
            "numbers": dict(evaluation.numbers),
            "blocking": evaluation.blocking,
            **({"by_partition": dict(evaluation.by_partition)} if evaluation.by_partition else {}),
        },
    )


def _failed_run(facts: AssetFacts, failure: Failure, part_of: str | None) -> Alert:
    return Alert(
        asset=facts.asset,
        kind="run",
        source=failure.step,
        level="error",
        message=f"{facts.asset}: run failed: {failure.reason}",
        partitions=facts.missed or facts.planned or frozenset({WHOLE_ASSET}),
        error_class=failure.error_class,
        part_of=part_of,
        details={"stack": failure.stack},
    )


def _unevaluated(facts: AssetFacts, check: str, failure: Failure, part_of: str) -> Alert:
    return Alert(
        asset=facts.asset,
        kind="unevaluated",
        source=check,
        level="error",
        message=f"{facts.asset}: check {check} could not be evaluated: {failure.reason}",
        partitions=frozenset({WHOLE_ASSET}),
        error_class=failure.error_class,
        part_of=part_of,
    )


def _blocking_cause(failure: Failure, failed_checks: Iterable[Alert]) -> str | None:
    """Return the fingerprint of the blocking check that failed the run; None if the run failed for another reason."""
    if failure.error_class not in BLOCKING_CHECK_FAILED:
        return None
    blocking = (alert for alert in failed_checks if alert.details["blocking"] and alert.level == "error")
    return next((alert.fingerprint for alert in blocking), None)


def _covered(evaluation: Evaluation, partitions: frozenset[str]) -> frozenset[str]:
    """Return what a check's result is about: these partitions, or the asset as a whole."""
    if evaluation.scope == "asset" or not partitions:
        return frozenset({WHOLE_ASSET})
    return partitions
