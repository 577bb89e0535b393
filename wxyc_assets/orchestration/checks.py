"""Checks as Dagster has them: the evaluations of a run, and the op that evaluates an asset's checks without a run of it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, cast

import dagster as dg
from dagster._core.storage.asset_check_execution_record import (
    AssetCheckExecutionRecord,
    AssetCheckExecutionRecordStatus,
)

from wxyc_assets.runs import runbook
from wxyc_assets.runs.findings import Check, Finding

SCOPE: Final = "wxyc/scope"
"""The key of a check's scope in the metadata of its spec."""

PARTITIONS = "failed_partitions"
"""The key of the partitions that a failed evaluation is about: a run over several partitions evaluates each check once."""

BY_PARTITION = "by_partition"
"""The key of how many inputs or rows failed the check in each of these partitions."""

MAX_NAMED_PARTITIONS = 100
"""An evaluation that is about more partitions names none of them: it is about all partitions of the run."""

RUNBOOK = "runbook"
"""The key of the section of docs/operations.md that explains the check of a failed evaluation."""

REPEATS = "repeats_run"
"""The key of the run whose evaluation an evaluation repeats."""

_EVALUATED = {AssetCheckExecutionRecordStatus.SUCCEEDED, AssetCheckExecutionRecordStatus.FAILED}

EvaluateStored = Callable[[Any, Collection[str]], Iterable[Finding]]
"""Evaluates the checks of these names on what is stored; the first argument has the op's resources as attributes."""


def check_specs(asset: str, checks: Sequence[Check]) -> list[dg.AssetCheckSpec]:
    """Return Dagster's spec of each check of an asset, in the same order."""
    return [
        dg.AssetCheckSpec(
            check.name,
            asset=asset,
            description=f"{check.description} {_ALONE[check.stored]}",
            blocking=check.blocking,
            metadata={SCOPE: check.scope},
        )
        for check in checks
    ]


_ALONE = {
    True: "Executed alone, it evaluates the present state.",
    False: "Executed alone, it repeats what the latest run of the asset found.",
}


def asset_checks(
    asset: str,
    checks: Sequence[Check],
    *,
    evaluate_stored: EvaluateStored | None = None,
    resources: Collection[str] = (),
) -> dg.AssetChecksDefinition:
    """Return the op that evaluates the asset's checks when they are executed without the asset.

    A run of the asset reports the evaluations itself (``evaluations``). Dagster skips this op then, because it follows an asset
    that yields no output; where the asset yields one, the op finds its checks evaluated. Decision 0012 says why the checks are
    no outputs of the asset.

    Args:
        asset: the asset's name.
        checks: its checks.
        evaluate_stored: evaluates the checks with ``stored``; None: the asset has none.
        resources: the names of the resources that ``evaluate_stored`` uses.
    """

    @dg.multi_asset_check(
        name=f"{asset}_checks",
        specs=check_specs(asset, checks),
        can_subset=True,
        required_resource_keys=set(resources),
        description=f"Evaluates checks of {asset} without a run of it. It changes no row of the station.",
    )
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        latest = {key.name: _latest(context.instance, key) for key in context.selected_asset_check_keys}
        left = {name for name, record in latest.items() if record is None or record.run_id != context.run.run_id}
        stored = {check.name for check in checks if check.stored} & left
        if evaluate_stored and stored:
            yield from check_results(evaluate_stored(context.resources, stored))
        for name in sorted(left - stored):
            if record := latest[name]:
                yield _repeated(record)
            else:
                context.log.info("no run of %s has evaluated %s yet", asset, name)

    return evaluate


def check_results(findings: Iterable[Finding]) -> Iterator[dg.AssetCheckResult]:
    """Yield each finding as the result of the check of its name."""
    for finding in findings:
        yield dg.AssetCheckResult(
            check_name=finding.name,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity(finding.severity),
            metadata=_metadata(finding),
            description=finding.description or None,
        )


def evaluations(asset: str, checks: Sequence[Check], findings: Iterable[Finding]) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield each finding as an event for the log of a run of the asset.

    An evaluation names no target materialization: the UI then shows it as that of the latest one, also if the run credited
    nothing. Dagster would name the latest one of the run's partition, and show the check as not evaluated.
    """
    blocking = {check.name: check.blocking for check in checks}
    for finding in findings:
        yield dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(asset),
            check_name=finding.name,
            passed=finding.passed,
            severity=dg.AssetCheckSeverity(finding.severity),
            metadata=_metadata(finding),
            description=finding.description or None,
            blocking=blocking[finding.name],
        )


def _latest(instance: dg.DagsterInstance, key: dg.AssetCheckKey) -> AssetCheckExecutionRecord | None:
    """Return the latest evaluation of a check that ended, None if there is none."""
    records = instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=_EVALUATED)
    return next((record for record in records if record.evaluation and record.event), None)


def _repeated(record: AssetCheckExecutionRecord) -> dg.AssetCheckResult:
    """Return what an earlier run found."""
    found, event = cast("dg.AssetCheckEvaluation", record.evaluation), cast("dg.EventLogEntry", record.event)
    repeated = REPEATS in found.metadata
    run_id = str(found.metadata[REPEATS].value) if repeated else record.run_id
    at = datetime.fromtimestamp(event.timestamp, UTC)
    return dg.AssetCheckResult(
        check_name=found.check_name,
        passed=found.passed,
        severity=found.severity,
        metadata={**found.metadata, REPEATS: dg.MetadataValue.dagster_run(run_id)},
        description=found.description if repeated else _found_by(found.description or "", run_id, at),
    )


def _found_by(description: str, run_id: str, at: datetime) -> str:
    source = f"as run {run_id} found it at {at:%Y-%m-%d %H:%M} UTC"
    return f"{description}; {source}" if description else source


def _metadata(finding: Finding) -> dict[str, Any]:
    return {**finding.numbers, **_partitions(finding), **_runbook(finding)}


def _partitions(finding: Finding) -> dict[str, Any]:
    if not finding.partitions or len(finding.partitions) > MAX_NAMED_PARTITIONS:
        return {}
    counts = {BY_PARTITION: dict(finding.by_partition)} if finding.by_partition else {}
    return {PARTITIONS: ", ".join(finding.partitions), **counts}


def _runbook(finding: Finding) -> dict[str, str]:
    return {} if finding.passed else {RUNBOOK: runbook.section(finding.name)}
