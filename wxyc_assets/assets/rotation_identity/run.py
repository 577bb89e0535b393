"""One run of rotation_identity, without Dagster: lock, walk, coverage, ledger, log, span, report."""

from dataclasses import dataclass

import psycopg

from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets import single_flight
from wxyc_assets.progress import Progress
from wxyc_assets.recorded_run import Undertaking, on_record
from wxyc_assets.rotation_identity import findings, store
from wxyc_assets.rotation_identity.asking import CALLER, Resolver
from wxyc_assets.rotation_identity.counters import Counters
from wxyc_assets.rotation_identity.findings import Coverage
from wxyc_assets.rotation_identity.row_log import RowLog
from wxyc_assets.rotation_identity.run_report import Request, RunReport
from wxyc_assets.rotation_identity.walk import Walk
from wxyc_assets.rotation_identity.writer import Writer
from wxyc_assets.row_isolation import database_problem

__all__ = ["Request", "RunReport", "Tools", "run"]


@dataclass(frozen=True)
class Tools:
    """What a run works with."""

    postgres: Postgres
    lml: Resolver
    sentry: Sentry
    log: StepLog
    progress: Progress
    unit_wait_s: float = single_flight.UNIT_WAIT_S


def run(request: Request, tools: Tools) -> RunReport:
    """Give every active row with a Discogs release its identity, then see how many have one.

    It gives way to no live DJ, as it writes a few single rows. Raises psycopg.OperationalError if the database cannot be
    reached at all, MigrationError if our schema is not there. A database that goes away later makes the run fail, not
    raise: it keeps what it counted. A dry run calls LML for nothing, writes nothing, and leaves what it would ask in
    ``dry_run_report``.
    """
    tools.log.info("init", dry_run=request.dry_run)
    report = RunReport(request)
    undertaking = Undertaking(
        store.ASSET, request.run_id, request.origin, [store.EVERYTHING], request.dry_run, tools.unit_wait_s
    )
    with on_record(undertaking, report, postgres=tools.postgres, log=tools.log):
        attributes = {"wxyc.backfill.dry_run": request.dry_run}
        with tools.sentry.span(f"{CALLER}.run", op="function", attributes=attributes):
            if not report.refused:
                _work(report, tools)
        tools.log.info("finished", dry_run=request.dry_run, **report.counters.stored())
    return report


def _work(report: RunReport, tools: Tools) -> None:
    with tools.postgres.connect() as connection:
        candidates = store.candidates(connection)
        report.inputs_read = len(candidates.rows)
        if report.request.dry_run:
            _rehearse(connection, report, candidates, tools.log)
        else:
            _walk(connection, report, candidates, tools)
    # Of a walk that broke off, the rows that nothing was made of are reported as that.
    read = report.counters.scanned if report.stopped else report.inputs_read
    report.findings = [findings.accounting(report.counters, inputs_read=read)]
    if not report.request.dry_run:
        _look(report, tools)


def _rehearse(connection: psycopg.Connection, report: RunReport, candidates: store.Candidates, log: StepLog) -> None:
    """Report how the rotation stands and what would be asked; all numbers, so that they can be added up."""
    rows = len(candidates.rows)
    report.counters = Counters(scanned=rows, resolved_dry=rows, resting=candidates.resting)
    report.coverage = store.coverage(connection)
    _say_coverage(report.coverage, log)
    report.dry_run_report = {
        **report.coverage.numbers(),
        "would_ask": rows,
        "calls": rows,
        "resting": candidates.resting,
    }


def _walk(connection: psycopg.Connection, report: RunReport, candidates: store.Candidates, tools: Tools) -> None:
    writer = Writer(connection, report.request.run_id, Counters(resting=candidates.resting))
    tools.progress.start(store.ASSET, len(candidates.rows), unit="rows")
    try:
        Walk(tools.lml, writer, RowLog(tools.log, tools.sentry), tools.progress).run(candidates.rows)
        writer.complete()
    except psycopg.Error as error:
        report.stopped = database_problem(error)
    finally:
        tools.progress.finish()
        report.counters = writer.tallied


def _look(report: RunReport, tools: Tools) -> None:
    """Judge what the run did; on a connection of its own, since one that died in mid-run says nothing of the table."""
    report.findings += findings.of_answers(report.counters)
    try:
        with tools.postgres.connect() as connection:
            report.coverage = store.coverage(connection)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    _say_coverage(report.coverage, tools.log)
    report.findings.append(findings.of_coverage(report.coverage))


def _say_coverage(coverage: Coverage, log: StepLog) -> None:
    log.info("coverage_report", **coverage.report())
