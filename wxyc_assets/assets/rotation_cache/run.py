"""One run of rotation_cache for one day, without Dagster: gate, plan, refresh, ledger, log, report."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

import psycopg

from resources.deploy_gate.rules import Ruling
from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets import ledger, single_flight
from wxyc_assets.budget_forecast import forecast
from wxyc_assets.finding import Finding
from wxyc_assets.progress import Progress
from wxyc_assets.recorded_run import Undertaking, on_record
from wxyc_assets.rotation_cache import findings, store
from wxyc_assets.rotation_cache.asking import CALLER, Refresher
from wxyc_assets.rotation_cache.batch_log import BatchLog
from wxyc_assets.rotation_cache.counters import Counters
from wxyc_assets.rotation_cache.plan import LML_REFRESH_BATCH_CAP, Plan, other_days
from wxyc_assets.rotation_cache.refresh import Refresh
from wxyc_assets.rotation_cache.run_report import Request, RunReport
from wxyc_assets.rotation_cache.tally import Tally
from wxyc_assets.row_isolation import database_problem

__all__ = ["Request", "RunReport", "Tools", "look", "run"]


class Gate(Protocol):
    """Says whether LML may be asked for work."""

    def ask(self) -> Ruling:
        """Decide; never raises for what others say."""


@dataclass(frozen=True)
class Tools:
    """What a run works with."""

    postgres: Postgres
    lml: Refresher
    gate: Gate
    sentry: Sentry
    log: StepLog
    progress: Progress
    unit_wait_s: float = single_flight.UNIT_WAIT_S


def run(request: Request, tools: Tools, on_done: Callable[[RunReport], None]) -> RunReport:
    """Warm the cache of today, and call ``on_done`` if that is to be credited. Any other day is refused, and nothing is done.

    Raises psycopg.OperationalError if the database cannot be reached at all, MigrationError if our schema is not there. A
    database that goes away later makes the run fail, not raise: it keeps what it counted. A dry run asks the gate, and nobody
    for any work.
    """
    tools.log.info("init")
    report = RunReport(request, refused=dict(other_days(request.days, request.today)))
    own_days = () if report.refused else request.days
    undertaking = Undertaking(store.ASSET, request.run_id, request.origin, own_days, request.dry_run, tools.unit_wait_s)
    with on_record(undertaking, report, postgres=tools.postgres, log=tools.log):
        with tools.sentry.span(f"{CALLER}.run", op="job.run"):
            _work(report, tools)
        if not (report.could_not_work or request.dry_run):
            on_done(report)
    return report


def look(names: Collection[str], tools: Tools) -> list[Finding]:
    """Return those of the checks that can be looked at without a run: the gate, and what the ledger has of the last day."""
    found = []
    if findings.GATE in names:
        found.append(findings.of_gate(_ask_gate(tools)))
    if findings.NOT_FOUND_RATE in names:
        with tools.postgres.connect() as connection:
            found.append(findings.of_the_last_day(store.recent(connection)))
    return found


def _work(report: RunReport, tools: Tools) -> None:
    if report.refused:
        return
    report.ruling = _ask_gate(tools)
    report.findings.append(findings.of_gate(report.ruling))
    if not report.ruling.is_open:
        return
    with tools.postgres.connect() as connection:
        plan = Plan(store.active_identities(connection), report.request.batching)
        report.inputs_read = len(plan.identity_ids)
        _say_plan(plan, report.request, tools.log)
        try:
            if report.request.dry_run:
                _rehearse(connection, report, plan, tools.log)
            else:
                _refresh(connection, report, plan, tools)
        finally:
            _tell_totals(report, tools)
    if report.database_lost:
        return
    _look_back(report, tools)
    tools.log.info("done", **report.counters.stored(), dry_run=report.request.dry_run)


def _ask_gate(tools: Tools) -> Ruling:
    ruling = tools.gate.ask()
    if ruling.is_open:
        tools.log.info("deploy_guard", commit_sha=ruling.commit_sha, reason=ruling.reason)
    else:
        tools.log.error("deploy_guard", error_message=ruling.reason, error_name="DeployGuardError")
    return ruling


def _say_plan(plan: Plan, request: Request, log: StepLog) -> None:
    log.info(
        "plan",
        identity_count=len(plan.identity_ids),
        batch_count=len(plan.batches),
        batch_cap=LML_REFRESH_BATCH_CAP,
        batch_size=plan.batching.size,
        concurrency=plan.batching.in_flight,
        dry_run=request.dry_run,
    )


def _rehearse(connection: psycopg.Connection, report: RunReport, plan: Plan, log: StepLog) -> None:
    """Report what would be asked, in how many calls, and when the budget would be done."""
    pace = report.request.pace
    expected = forecast(connection, len(plan.identity_ids), pace)
    report.counters = Counters(identities_scanned=len(plan.identity_ids))
    report.dry_run_report = plan.dry_run_report(pace, expected)
    log.info("dry_run", **report.dry_run_report, budget_done_at=expected.done_at)


def _refresh(connection: psycopg.Connection, report: RunReport, plan: Plan, tools: Tools) -> None:
    """Ask about every identity; what that brought is in ``report.counters``, whatever happens."""
    request = report.request
    tally = Tally(connection, request.run_id, request.days[0])
    work = Refresh(plan, tools.lml, tally, BatchLog(tools.log, tools.sentry), tools.progress, request.pace)
    tools.progress.start(store.ASSET, len(plan.identity_ids), unit="identities")
    try:
        ledger.expect_calls(connection, request.run_id, request.pace.calls(len(plan.identity_ids)))
        work.run()
    except psycopg.Error as error:
        report.database_lost = database_problem(error)
    finally:
        report.counters = tally.total
        tools.progress.finish()


def _tell_totals(report: RunReport, tools: Tools) -> None:
    """Send the totals as a span; one that fails costs its span and nothing else."""
    attributes = report.counters.span_attributes(dry_run=report.request.dry_run)
    try:
        with tools.sentry.span(f"{CALLER}.run.totals", op=f"{CALLER}.totals", attributes=attributes):
            pass
    except Exception as error:  # noqa: BLE001 - it may be on its way out with a failure of more weight
        tools.log.warning("totals_span_failed", error_message=str(error), error_name=type(error).__name__)


def _look_back(report: RunReport, tools: Tools) -> None:
    """Judge what the run did; on a connection of its own, since one that idled through a long run may be gone."""
    request = report.request
    report.findings.append(
        findings.accounting(report.counters, inputs_read=report.inputs_read, dry_run=request.dry_run)
    )
    if request.dry_run:
        return
    report.findings += findings.of_answers(report.counters)
    try:
        with tools.postgres.connect() as connection:
            recent = store.recent(connection)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    lately = findings.of_the_last_day(recent)
    report.findings.append(lately)
    if not lately.passed:
        tools.log.warning(findings.NOT_FOUND_RATE, **recent.numbers)
