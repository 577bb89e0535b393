"""One run of album_metadata over some shards, without Dagster: plan, locks, drain, ledger, log, report."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import psycopg

from resources import sql_files
from resources.budget import backlog
from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.assets.album_metadata import checks, store
from wxyc_assets.assets.album_metadata.counters import Counters, summed
from wxyc_assets.assets.album_metadata.drain import Drain
from wxyc_assets.assets.album_metadata.lml_requests import Lookup
from wxyc_assets.assets.album_metadata.plan import IN_FLIGHT, Plan
from wxyc_assets.assets.album_metadata.run_log import BatchLog
from wxyc_assets.assets.album_metadata.run_report import Request, RunReport
from wxyc_assets.assets.album_metadata.writer import ShardWriter
from wxyc_assets.runs import advisory_locks, ledger
from wxyc_assets.runs.bisecting_write import database_problem
from wxyc_assets.runs.breaker_watch import BreakerWatch
from wxyc_assets.runs.findings import attributed, failed_blocking
from wxyc_assets.runs.lifecycle import RunSpec, run_lifecycle
from wxyc_assets.runs.progress import Progress
from wxyc_assets.runs.shard_drain import ShardDone
from wxyc_assets.runs.table_statistics import analyze

__all__ = ["Request", "RunReport", "Tools", "run"]


@dataclass(frozen=True)
class Tools:
    """The clients, log and progress that a run uses. ``notify`` shows a sentence on its page, ``sleep`` waits for seconds."""

    postgres: Postgres
    lml: Lookup
    sentry: Sentry
    log: StepLog
    progress: Progress
    unit_wait_s: float = advisory_locks.UNIT_WAIT_S
    notify: Callable[[str], None] = lambda _sentence: None
    sleep: Callable[[float], None] = time.sleep


def run(request: Request, tools: Tools, on_done: Callable[[ShardDone[Counters]], None]) -> RunReport:
    """Process the shards, and call ``on_done`` for each credited shard as soon as its last batch is committed.

    Raises psycopg.OperationalError if the database cannot be reached at the start, MigrationError if our schema is missing. If
    the connection is lost later, the run does not raise: its report says ``failed`` and keeps what was counted. A dry run makes
    no LML call, writes nothing, and puts its plan into ``dry_run_report``.
    """
    report = RunReport(request)
    spec = RunSpec(store.ASSET, request.run_id, request.origin, request.shards, request.dry_run, tools.unit_wait_s)
    with run_lifecycle(spec, report, postgres=tools.postgres, log=tools.log) as postgres:
        tools = replace(tools, postgres=postgres)
        _log_started(request, tools.log)
        with tools.postgres.connect() as connection:
            plan = _plan(connection, report)
            tools.log.info("enumerated", scanned=plan.scanned)
            if request.dry_run:
                _dry_run(connection, report, plan, tools.log)
            else:
                _drain(connection, report, plan, tools, on_done)
        _analyze(report, tools)
        _evaluate_checks(report, tools)
        tools.log.info("finished", **report.counters.totals())
    return report


def _log_started(request: Request, log: StepLog) -> None:
    log.info(
        "started",
        batch_size=request.batch_size,
        rate_per_min=request.discogs_rate.discogs_calls_per_min,
        budget_ms=request.budget_ms,
        dry_run=request.dry_run,
    )


def _plan(connection: psycopg.Connection, report: RunReport) -> Plan:
    request = report.request
    shards = [shard for shard in sorted(request.shards) if shard not in report.refused]
    return store.plan(
        connection, shards, retry_after=request.retry_after, grace=request.grace, batch_size=request.batch_size
    )


def _dry_run(connection: psycopg.Connection, report: RunReport, plan: Plan, log: StepLog) -> None:
    """Report how many albums a real run would ask about, in how many calls, and when the budget can have served them."""
    discogs_rate = report.request.discogs_rate
    expected = discogs_rate.forecast(plan.questions, backlog(connection))
    report.done = [
        ShardDone(shard, plan.dry_counters(shard), plan.dry_counters(shard).scanned) for shard in plan.shards
    ]
    report.dry_run_report = plan.dry_run_report(discogs_rate, expected)
    log.info(
        "dry_run_plan",
        batch_size=plan.batch_size,
        **report.dry_run_report,
        budget_done_at=expected.done_at,
    )


def _drain(
    connection: psycopg.Connection,
    report: RunReport,
    plan: Plan,
    tools: Tools,
    on_done: Callable[[ShardDone[Counters]], None],
) -> None:
    """Drain the shards that were not refused, and append how each ended to ``report.done``."""
    request = report.request

    def record_remaining(questions: int) -> None:
        ledger.expect_calls(connection, request.run_id, request.discogs_rate.calls(questions))

    drain = Drain(
        connection,
        plan,
        tools.lml,
        lambda connection, shard: ShardWriter(connection, request.run_id, shard),
        BatchLog(tools.log, tools.sentry, plan.batches),
        tools.progress,
        request.retry_after,
        request.budget_ms,
        BreakerWatch(tools.lml, tools.log, tools.progress, tools.notify, tools.sleep),
        request.discogs_rate.in_flight(plan.batch_size, IN_FLIGHT),
        record_remaining,
    )
    record_remaining(plan.questions)
    tools.progress.start(store.ASSET, plan.to_ask, unit="albums")
    try:
        with closing(drain.run(list(plan.shards))) as ended:
            for done in ended:
                report.add(done, failed_blocking(checks.CHECKS, checks.of_answers(done.counters)))
                if report.can_credit(done):
                    on_done(done)
    finally:
        tools.progress.finish()


def _analyze(report: RunReport, tools: Tools) -> None:
    """Update the planner's statistics after a bulk write."""
    if not report.counters.upserts:
        return
    try:
        analyze(
            tools.postgres, sql_files.load("wxyc_assets.assets.album_metadata", "analyze_album_metadata"), tools.log
        )
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)


def _evaluate_checks(report: RunReport, tools: Tools) -> None:
    """Evaluate the checks on a new connection: the run's may have been lost."""
    processed = report.processed
    report.findings = [
        checks.accounting(
            report.counters,
            processed=summed(done.counters for done in processed),
            inputs_read=sum(done.inputs_read for done in processed),
        )
    ]
    if report.request.dry_run:
        return
    of_shards = {done.shard: checks.of_answers(done.counters) for done in report.done}
    report.findings += attributed(checks.of_answers(report.counters), of_shards)
    try:
        with tools.postgres.connect() as connection:
            recent = store.recent_mismatches(connection)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    report.findings.append(checks.of_last_day(recent))
    if recent.mismatches:
        tools.log.warning(
            "unexpected_index_24h",
            unexpected_index_24h=recent.mismatches,
            first_mismatch_album_id=recent.album_id,
            first_mismatch=recent.reason,
            first_run_id=recent.run_id,
        )
