"""Runs an asset through Dagster in this process. The run shows in the UI like any other, and Dagster prints nothing."""

import importlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import dagster as dg
import psycopg

from resources.postgres import Postgres, connect_error_advice
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.cli.in_process import execute
from wxyc_assets.cli.instance import STORAGE_GONE, open_instance
from wxyc_assets.cli.outcome import ANOMALY, DONE, FAILED, CannotError, Outcome
from wxyc_assets.cli.run_alerts import updating_alerts
from wxyc_assets.cli.run_view import run_lines
from wxyc_assets.database.sessions import open_sessions
from wxyc_assets.orchestration.dead_runs import end_dead_runs
from wxyc_assets.orchestration.errors import root_cause
from wxyc_assets.orchestration.partitions import add_day
from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.origin import ORIGIN_TAG, RunOrigin
from wxyc_assets.runs.outcome import RunSummary
from wxyc_assets.runs.partitions import range_tags
from wxyc_assets.runs.run_console import RunConsole

OUR_ERROR = re.compile(r"^(?:wxyc_assets|resources|sensors)(?:\.\w+)+: ")
"""How Dagster names the class of an error of ours, whose text says enough."""


@dataclass(frozen=True)
class LaunchRequest:
    """What to run: one asset with its op config, one run for each range of partitions.

    A range is its first and its last key, both included. An asset without partitions has one range, which is None. A dry run
    has one range, None: its config names its partitions.
    """

    asset: str
    ranges: Sequence[tuple[str, str] | None]
    config: Mapping[str, Any]
    origin: RunOrigin = "explicit"
    dry_run: bool = False


def launch(request: LaunchRequest, databases: tuple[Postgres, Postgres], console: RunConsole) -> Outcome:
    """Run the asset, and add up the summaries of its runs. Raises CannotError if a run ends without a summary.

    ``databases``: the station's, and that of the billing tables.
    """
    summaries: list[RunSummary] = []
    run_ids: list[str] = []
    # By name, as Dagster loads them: no module may import the definitions.
    definitions = importlib.import_module("wxyc_assets.definitions").build_defs(console=console)
    info = BY_NAME[request.asset]
    job = definitions.resolve_job_def(info.dry_run_job if request.dry_run else info.job)
    with open_instance() as instance, updating_alerts(instance, databases, definitions):
        _prepare_databases(instance, *databases, needs_billing=info.partitions == "hours")
        if info.partitions == "today":
            for day in filter(None, request.ranges):
                add_day(instance, day[0])
        for keys in request.ranges:
            run_id = str(uuid.uuid4())
            run_ids.append(run_id)
            console.begin_run(_announcement(run_id, request, keys))
            try:
                with console.executing():
                    _execute(job, instance, run_id, request, range_tags(*keys) if keys else {})
            except STORAGE_GONE as error:
                raise CannotError(_storage_lost(run_id, console.summaries.get(run_id))) from error
            finally:
                ended = console.summaries.get(run_id)
                console.end_run(ended.reason if ended else "")
            summaries.append(ended or _raise_reason(instance, run_id))
    return _outcome(request, run_ids, summaries)


def _announcement(run_id: str, request: LaunchRequest, keys: tuple[str, str] | None) -> str:
    announced = f"{'dry run' if request.dry_run else 'run'} {run_id}"
    if keys is None:
        return announced
    noun = {"shards": "shard", "hours": "hour"}.get(BY_NAME[request.asset].partitions, "day")
    return (
        f"{announced} of {noun} {keys[0]}" if keys[0] == keys[1] else f"{announced} of {noun}s {keys[0]} to {keys[1]}"
    )


def _raise_reason(instance: dg.DagsterInstance, run_id: str) -> NoReturn:
    """Raise why a run ended without a summary."""
    raise CannotError(f"run {run_id}: {failure_reason(instance, run_id)}")


def _prepare_databases(
    instance: dg.DagsterInstance, station: Postgres, billing: Postgres, *, needs_billing: bool
) -> None:
    """End dead runs, unless one may be alive in a database that cannot be reached; refuse what cannot be done."""
    try:
        with open_sessions(station, billing) as sessions:
            if sessions.billing is None and needs_billing:
                raise CannotError(sessions.billing_problem)
            if sessions.billing is not None:
                end_dead_runs(instance, sessions.open)
    except psycopg.OperationalError as error:
        raise CannotError(connect_error_advice(error, station)) from error


def _storage_lost(run_id: str, summary: RunSummary | None) -> str:
    """Return how a run ended if Dagster could not record it. What the run committed is in the ledger."""
    ended = summary.reason or "it was done" if summary else "it ended without a summary"
    return f"run {run_id}: {ended}; Dagster's storage (DAGSTER_DATABASE_URL) is gone: `wxyc doctor`, then run it again"


def _execute(
    job: dg.JobDefinition, instance: dg.DagsterInstance, run_id: str, request: LaunchRequest, tags: dict[str, str]
) -> None:
    op = BY_NAME[request.asset].dry_run_op if request.dry_run else request.asset
    execute(
        job,
        instance,
        run_id=run_id,
        tags={**tags, ORIGIN_TAG: request.origin},
        run_config={"ops": {op: {"config": dict(request.config)}}} if request.config else {},
    )


def failure_reason(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return the root cause that Dagster recorded for a run that ended without a summary."""
    failures = instance.get_records_for_run(
        run_id, of_type={dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    ).records
    for record in failures:
        event = record.event_log_entry.dagster_event
        error = getattr(event.event_specific_data, "error", None) if event else None
        if error:
            return OUR_ERROR.sub("", root_cause(error).message.strip())
    return "no reason was recorded; its page in the Dagster UI has the log"


def _outcome(request: LaunchRequest, run_ids: list[str], summaries: list[RunSummary]) -> Outcome:
    reports = [summary.dry_run_report for summary in summaries if summary.dry_run_report is not None]
    printed: dict[str, Any] = {
        "asset": request.asset,
        "run_ids": run_ids,
        "partitions": [key for summary in summaries for key in summary.partitions],
        "dry_run": any(summary.dry_run for summary in summaries),
        "totals": add_up([summary.totals for summary in summaries]),
        "checks": [_printed(finding) for finding in _worst_findings(summaries)],
    }
    if reports:
        (printed["dry_run_report"],) = reports  # a dry run is one run, whatever its partitions
    for summary in summaries:
        for name, listed in summary.follow_up.items():
            printed[name] = [*printed.get(name, []), *listed]
    reasons = [summary.reason for summary in summaries if summary.reason]
    if reasons:
        printed["reason"] = "; ".join(reasons)
    verdicts = {summary.verdict for summary in summaries}
    exit_code = FAILED if "failed" in verdicts else ANOMALY if "anomaly" in verdicts else DONE
    return Outcome(printed, exit_code, run_lines(printed, exit_code))


def _printed(finding: Finding) -> dict[str, Any]:
    """Return a check as it is printed; one that failed says why."""
    check = {"name": finding.name, "passed": finding.passed, "severity": finding.severity}
    why = {} if finding.passed or not finding.description else {"description": finding.description}
    return {**check, **why}


def _worst_findings(summaries: list[RunSummary]) -> list[Finding]:
    """Return one result per check: it passed if it passed in every run."""
    worst: dict[str, Finding] = {}
    for summary in summaries:
        for finding in summary.findings:
            if finding.name not in worst or not finding.passed:
                worst[finding.name] = finding
    return list(worst.values())


def add_up(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add up dicts of numbers, nested ones too."""
    total: dict[str, Any] = {}
    for part in parts:
        for name, value in part.items():
            if isinstance(value, Mapping):
                total[name] = add_up([total.get(name, {}), value])
            else:
                total[name] = total.get(name, 0) + value
    return total
