"""One run of rotation_cache for one day, without Dagster: gate, plan, drain, ledger, log, report."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Protocol

import psycopg

from resources.budget import backlog
from resources.deploy_gate.rules import GateDecision
from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.assets.rotation_cache import checks, store
from wxyc_assets.assets.rotation_cache.counters import Counters
from wxyc_assets.assets.rotation_cache.drain import Drain
from wxyc_assets.assets.rotation_cache.lml_requests import CALLER, Refresher
from wxyc_assets.assets.rotation_cache.plan import LML_REFRESH_BATCH_CAP, Plan, unwarmable_days
from wxyc_assets.assets.rotation_cache.run_log import BatchLog
from wxyc_assets.assets.rotation_cache.run_report import Request, RunReport
from wxyc_assets.assets.rotation_cache.tally import Tally
from wxyc_assets.runs import advisory_locks, ledger
from wxyc_assets.runs.bisecting_write import database_problem
from wxyc_assets.runs.breaker_watch import BreakerWatch
from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.lifecycle import RunSpec, run_lifecycle
from wxyc_assets.runs.progress import Progress

__all__ = ["Request", "RunReport", "Tools", "evaluate_stored", "run"]


class Gate(Protocol):
    """Decides whether LML may be asked for refreshes."""

    def decide(self) -> GateDecision:
        """Decide; raises for no answer of LML or GitHub."""


@dataclass(frozen=True)
class Tools:
    """The resources of a run. ``notify`` shows a sentence on its page, ``sleep`` waits for seconds."""

    postgres: Postgres
    lml: Refresher
    gate: Gate
    sentry: Sentry
    log: StepLog
    progress: Progress
    unit_wait_s: float = advisory_locks.UNIT_WAIT_S
    notify: Callable[[str], None] = lambda _sentence: None
    sleep: Callable[[float], None] = time.sleep


def run(request: Request, tools: Tools, on_done: Callable[[RunReport], None]) -> RunReport:
    """Warm the cache of today, and call ``on_done`` if the day can be credited. Any other day is refused, and nothing is done.

    Raises psycopg.OperationalError if the database cannot be reached at all, MigrationError if our schema is missing. If the
    database is lost later, the run fails without an exception and reports what it has counted. A dry run evaluates the gate and
    asks LML for no refresh.
    """
    tools.log.info("init")
    report = RunReport(request, refused=dict(unwarmable_days(request.days, request.today)))
    own_days = () if report.refused else request.days
    spec = RunSpec(store.ASSET, request.run_id, request.origin, own_days, request.dry_run, tools.unit_wait_s)
    with run_lifecycle(spec, report, postgres=tools.postgres, log=tools.log) as postgres:
        tools = replace(tools, postgres=postgres)
        with tools.sentry.span(f"{CALLER}.run", op="job.run"):
            _process(report, tools)
        if not (report.failure_reason or request.dry_run):
            on_done(report)
    return report


def evaluate_stored(names: Collection[str], tools: Tools) -> list[Finding]:
    """Evaluate the checks that need no run: the deploy gate, and the ledger's counts of the last 24 hours."""
    found = []
    if checks.GATE in names:
        found.append(checks.of_gate(_evaluate_gate(tools)))
    if checks.NOT_FOUND_RATE in names:
        with tools.postgres.connect() as connection:
            found.append(checks.of_the_last_day(store.recent_refreshes(connection)))
    return found


def _process(report: RunReport, tools: Tools) -> None:
    if report.refused:
        return
    report.gate_decision = _evaluate_gate(tools)
    report.findings.append(checks.of_gate(report.gate_decision))
    if not report.gate_decision.is_open:
        return
    with tools.postgres.connect() as connection:
        plan = Plan(store.active_identities(connection), report.request.batching)
        report.inputs_read = len(plan.identity_ids)
        _log_plan(plan, report.request, tools.log)
        try:
            if report.request.dry_run:
                _dry_run(connection, report, plan, tools.log)
            else:
                _drain(connection, report, plan, tools)
        finally:
            _send_totals(report, tools)
    if report.database_lost:
        return
    _evaluate_checks(report, tools)
    tools.log.info("done", **report.counters.stored(), dry_run=report.request.dry_run)


def _evaluate_gate(tools: Tools) -> GateDecision:
    gate_decision = tools.gate.decide()
    if gate_decision.is_open:
        tools.log.info("deploy_guard", commit_sha=gate_decision.commit_sha, reason=gate_decision.reason)
    else:
        tools.log.error("deploy_guard", error_message=gate_decision.reason, error_name="DeployGuardError")
    return gate_decision


def _log_plan(plan: Plan, request: Request, log: StepLog) -> None:
    log.info(
        "plan",
        identity_count=len(plan.identity_ids),
        batch_count=len(plan.batches),
        batch_cap=LML_REFRESH_BATCH_CAP,
        batch_size=plan.batching.size,
        concurrency=plan.batching.in_flight,
        dry_run=request.dry_run,
    )


def _dry_run(connection: psycopg.Connection, report: RunReport, plan: Plan, log: StepLog) -> None:
    """Report what would be asked, in how many calls, and when the budget would allow the last of them."""
    discogs_rate = report.request.discogs_rate
    expected = discogs_rate.forecast(len(plan.identity_ids), backlog(connection))
    report.counters = Counters(identities_scanned=len(plan.identity_ids))
    report.dry_run_report = plan.dry_run_report(discogs_rate, expected)
    log.info("dry_run", **report.dry_run_report, budget_done_at=expected.done_at)


def _drain(connection: psycopg.Connection, report: RunReport, plan: Plan, tools: Tools) -> None:
    """Drain the plan; ``report.counters`` has the counts, also after an exception."""
    request = report.request
    tally = Tally(connection, request.run_id, request.days[0])
    breaker = BreakerWatch(tools.lml, tools.log, tools.progress, tools.notify, tools.sleep)
    drain = Drain(
        plan, tools.lml, tally, BatchLog(tools.log, tools.sentry), tools.progress, request.discogs_rate, breaker
    )
    tools.progress.start(store.ASSET, len(plan.identity_ids), unit="identities")
    try:
        ledger.expect_calls(connection, request.run_id, request.discogs_rate.calls(len(plan.identity_ids)))
        drain.run()
    except psycopg.Error as error:
        report.database_lost = database_problem(error)
    finally:
        report.counters = tally.total
        report.gave_up = drain.gave_up
        tools.progress.finish()


def _send_totals(report: RunReport, tools: Tools) -> None:
    """Send the totals as a span. If that fails, the run continues without the span."""
    attributes = report.counters.span_attributes(dry_run=report.request.dry_run)
    try:
        with tools.sentry.span(f"{CALLER}.run.totals", op=f"{CALLER}.totals", attributes=attributes):
            pass
    except Exception as error:  # noqa: BLE001 - the run may already be failing with a more important error
        tools.log.warning("totals_span_failed", error_message=str(error), error_name=type(error).__name__)


def _evaluate_checks(report: RunReport, tools: Tools) -> None:
    """Evaluate the checks, on a new connection: the run's own was idle for long and may be lost."""
    request = report.request
    # The identities that a drain that gave up did not reach are reported by its reason.
    read = report.counters.identities_scanned if report.gave_up else report.inputs_read
    report.findings.append(checks.accounting(report.counters, inputs_read=read, dry_run=request.dry_run))
    if request.dry_run:
        return
    report.findings += checks.of_answers(report.counters)
    try:
        with tools.postgres.connect() as connection:
            recent = store.recent_refreshes(connection)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    finding = checks.of_the_last_day(recent)
    report.findings.append(finding)
    if not finding.passed:
        tools.log.warning(checks.NOT_FOUND_RATE, **recent.numbers)
