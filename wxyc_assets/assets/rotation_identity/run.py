"""One run of rotation_identity, without Dagster: lock, drain, coverage, ledger, log, span, report."""

from dataclasses import dataclass, replace

import psycopg

from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.assets.rotation_identity import checks, store
from wxyc_assets.assets.rotation_identity.checks import Coverage
from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.drain import Drain
from wxyc_assets.assets.rotation_identity.lml_requests import CALLER, Resolver
from wxyc_assets.assets.rotation_identity.run_log import RowLog
from wxyc_assets.assets.rotation_identity.run_report import Request, RunReport
from wxyc_assets.assets.rotation_identity.writer import Writer
from wxyc_assets.runs import advisory_locks
from wxyc_assets.runs.bisecting_write import database_problem
from wxyc_assets.runs.lifecycle import RunSpec, run_lifecycle
from wxyc_assets.runs.progress import Progress

__all__ = ["Request", "RunReport", "Tools", "run"]


@dataclass(frozen=True)
class Tools:
    """The resources of a run."""

    postgres: Postgres
    lml: Resolver
    sentry: Sentry
    log: StepLog
    progress: Progress
    unit_wait_s: float = advisory_locks.UNIT_WAIT_S


def run(request: Request, tools: Tools) -> RunReport:
    """Set the identity of every active row with a Discogs release, then read how many rows have one.

    It does not yield to a live DJ, because it writes only a few single rows. Raises psycopg.OperationalError if the database
    cannot be reached at all, MigrationError if our schema is missing. If the database is lost later, the run fails without an
    exception and reports what it has counted. A dry run calls no LML and writes nothing; ``dry_run_report`` has what a real run
    would ask.
    """
    tools.log.info("init", dry_run=request.dry_run)
    report = RunReport(request)
    spec = RunSpec(
        store.ASSET, request.run_id, request.origin, [store.WHOLE_ROTATION], request.dry_run, tools.unit_wait_s
    )
    with run_lifecycle(spec, report, postgres=tools.postgres, log=tools.log) as postgres:
        tools = replace(tools, postgres=postgres)
        attributes = {"wxyc.backfill.dry_run": request.dry_run}
        with tools.sentry.span(f"{CALLER}.run", op="function", attributes=attributes):
            if not report.refused:
                _process(report, tools)
        tools.log.info("finished", dry_run=request.dry_run, **report.counters.stored())
    return report


def _process(report: RunReport, tools: Tools) -> None:
    with tools.postgres.connect() as connection:
        candidates = store.candidates(connection)
        report.inputs_read = len(candidates.rows)
        if report.request.dry_run:
            _dry_run(connection, report, candidates, tools.log)
        else:
            _drain(connection, report, candidates, tools)
    # The rows that a stopped drain did not reach are reported by the reason of the stop.
    read = report.counters.scanned if report.stopped else report.inputs_read
    report.findings = [checks.accounting(report.counters, inputs_read=read)]
    if not report.request.dry_run:
        _evaluate_checks(report, tools)


def _dry_run(connection: psycopg.Connection, report: RunReport, candidates: store.Candidates, log: StepLog) -> None:
    """Report the coverage and what would be asked; all values are numbers, so that several reports can be added up."""
    rows = len(candidates.rows)
    report.counters = Counters(scanned=rows, resolved_dry=rows, resting=candidates.resting)
    report.coverage = store.coverage(connection)
    _log_coverage(report.coverage, log)
    report.dry_run_report = {
        **report.coverage.numbers(),
        "would_ask": rows,
        "calls": rows,
        "resting": candidates.resting,
    }


def _drain(connection: psycopg.Connection, report: RunReport, candidates: store.Candidates, tools: Tools) -> None:
    writer = Writer(connection, report.request.run_id, Counters(resting=candidates.resting))
    tools.progress.start(store.ASSET, len(candidates.rows), unit="rows")
    try:
        Drain(tools.lml, writer, RowLog(tools.log, tools.sentry), tools.progress).run(candidates.rows)
        writer.complete()
    except psycopg.Error as error:
        report.stopped = database_problem(error)
    finally:
        tools.progress.finish()
        report.counters = writer.tallied


def _evaluate_checks(report: RunReport, tools: Tools) -> None:
    """Evaluate the checks, on a new connection: the run's own may have been lost."""
    report.findings += checks.of_answers(report.counters)
    try:
        with tools.postgres.connect() as connection:
            report.coverage = store.coverage(connection)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    _log_coverage(report.coverage, tools.log)
    report.findings.append(checks.of_coverage(report.coverage))


def _log_coverage(coverage: Coverage, log: StepLog) -> None:
    log.info("coverage_report", **coverage.report())
