"""Runs an asset through Dagster in this process: it shows in the UI like any other run, and prints nothing."""

import importlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import psycopg

from resources.postgres import Postgres, connect_error_advice
from wxyc_assets.cli.attendance import attended
from wxyc_assets.cli.instance import STORAGE_GONE, open_instance
from wxyc_assets.cli.outcome import ANOMALY, COULD_NOT, DONE, CannotError, Outcome
from wxyc_assets.dead_runs import end_dead_runs
from wxyc_assets.operator import Operator, RunSummary
from wxyc_assets.partitions import range_tags
from wxyc_assets.revision import require_migrated
from wxyc_assets.run_origin import ORIGIN_TAG, RunOrigin

INTERRUPTED = dg.DagsterExecutionInterruptedError.__name__
"""What Dagster makes of a person's Ctrl-C while a step works."""

OF_ALL = ("budget_backlog_s",)
"""What a dry run reports of the whole station: several runs saw the same, so it is not added up."""


@dataclass(frozen=True)
class Launch:
    """What to run: one asset with its op config, once for each of the ranges of its partitions.

    A range is its first and its last key, both included; an asset without partitions has one range that is None.
    """

    asset: str
    ranges: Sequence[tuple[str, str] | None]
    config: Mapping[str, Any]
    origin: RunOrigin = "explicit"


def launch(order: Launch, postgres: Postgres, operator: Operator) -> Outcome:
    """Run the asset, and add up what the runs say."""
    summaries: list[RunSummary] = []
    run_ids: list[str] = []
    # By name, as Dagster loads it: nothing imports the definitions.
    definitions = importlib.import_module("wxyc_assets.definitions").build_defs(operator=operator)
    job = definitions.resolve_implicit_global_asset_job_def()
    with open_instance() as instance, attended(instance, postgres, definitions):
        _check_and_clean(instance, postgres)
        for keys in order.ranges:
            run_id = str(uuid.uuid4())
            run_ids.append(run_id)
            try:
                _execute(job, instance, run_id, order, range_tags(*keys) if keys else {})
            except STORAGE_GONE as error:
                raise CannotError(_without_storage(run_id, operator.summaries.get(run_id))) from error
            summary = operator.summaries.get(run_id)
            if summary is None:
                reason = failure_reason(instance, run_id)
                if INTERRUPTED in reason:
                    raise KeyboardInterrupt
                raise CannotError(f"run {run_id}: {reason}")
            summaries.append(summary)
    return _added_up(order, run_ids, summaries)


def _check_and_clean(instance: dg.DagsterInstance, postgres: Postgres) -> None:
    try:
        with postgres.connect() as connection:
            require_migrated(connection)
            end_dead_runs(instance, connection)
    except psycopg.OperationalError as error:
        raise CannotError(connect_error_advice(error, postgres)) from error


def _without_storage(run_id: str, summary: RunSummary | None) -> str:
    """Say how a run ended of which Dagster could not take note; what it committed is in the ledger."""
    ended = summary.reason or "it was done" if summary else "it did not end by itself"
    return f"run {run_id}: {ended}; Dagster's storage (DAGSTER_DATABASE_URL) is gone: `wxyc doctor`, then run it again"


def _execute(
    job: dg.JobDefinition, instance: dg.DagsterInstance, run_id: str, order: Launch, tags: dict[str, str]
) -> None:
    job.execute_in_process(
        instance=instance,
        run_id=run_id,
        asset_selection=[dg.AssetKey(order.asset)],
        raise_on_error=False,
        tags={**tags, ORIGIN_TAG: order.origin},
        run_config={
            "ops": {order.asset: {"config": dict(order.config)}},
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
        },
    )


def failure_reason(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return the innermost reason that Dagster has on record for a run that ended without a summary."""
    failures = instance.get_records_for_run(
        run_id, of_type={dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    ).records
    for record in failures:
        event = record.event_log_entry.dagster_event
        error = getattr(event.event_specific_data, "error", None) if event else None
        while error:
            if not error.cause:
                return str(error.message).strip()
            error = error.cause
    return "it ended without saying why; its page in the Dagster UI has the log"


def _added_up(order: Launch, run_ids: list[str], summaries: list[RunSummary]) -> Outcome:
    reports = [summary.dry_run_report for summary in summaries if summary.dry_run_report is not None]
    printed: dict[str, Any] = {
        "asset": order.asset,
        "run_ids": run_ids,
        "partitions": [key for summary in summaries for key in summary.partitions],
        "dry_run": any(summary.dry_run for summary in summaries),
        "totals": added([summary.totals for summary in summaries]),
        "checks": [
            {"name": finding.name, "passed": finding.passed, "severity": finding.severity}
            for finding in _worst(summaries)
        ],
    }
    if reports:
        printed["dry_run_report"] = added(reports) | {name: reports[-1][name] for name in OF_ALL if name in reports[-1]}
    reasons = [summary.reason for summary in summaries if summary.reason]
    if reasons:
        printed["reason"] = "; ".join(reasons)
    verdicts = {summary.verdict for summary in summaries}
    return Outcome(printed, COULD_NOT if "failed" in verdicts else ANOMALY if "anomaly" in verdicts else DONE)


def _worst(summaries: list[RunSummary]) -> list[Any]:
    """One result a check: it passed if it did in every run."""
    worst: dict[str, Any] = {}
    for summary in summaries:
        for finding in summary.findings:
            if finding.name not in worst or not finding.passed:
                worst[finding.name] = finding
    return list(worst.values())


def added(parts: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Add up dicts of numbers of one shape, nested ones too."""
    total: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, Mapping):
                total[name] = added([total.get(name, {}), value])
            else:
                total[name] = total.get(name, 0) + value
    return total
