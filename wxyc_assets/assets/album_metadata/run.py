"""One run of album_metadata over some shards, without Dagster: plan, locks, drain, ledger, log, report."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import psycopg

from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets import ledger, single_flight
from wxyc_assets.album_metadata import findings, store
from wxyc_assets.album_metadata.asking import Lookup
from wxyc_assets.album_metadata.batch_log import BatchLog
from wxyc_assets.album_metadata.counters import summed
from wxyc_assets.album_metadata.drain import Drain, ShardDone
from wxyc_assets.album_metadata.plan import IN_FLIGHT, Plan
from wxyc_assets.album_metadata.run_report import Request, RunReport
from wxyc_assets.album_metadata.writer import ShardWriter
from wxyc_assets.budget_forecast import forecast
from wxyc_assets.finding import blamed
from wxyc_assets.progress import Progress
from wxyc_assets.recorded_run import Undertaking, on_record
from wxyc_assets.row_isolation import database_problem

__all__ = ["Request", "RunReport", "Tools", "run"]


@dataclass(frozen=True)
class Tools:
    """What a run works with."""

    postgres: Postgres
    lml: Lookup
    sentry: Sentry
    log: StepLog
    progress: Progress
    unit_wait_s: float = single_flight.UNIT_WAIT_S


def run(request: Request, tools: Tools, on_done: Callable[[ShardDone], None]) -> RunReport:
    """Walk the shards, calling ``on_done`` for each that is credited, as soon as its last batch is committed.

    Raises psycopg.OperationalError if the database cannot be reached at all, MigrationError if our schema is not there. A
    database that goes away later makes the run fail, not raise: it keeps what it counted. A dry run calls LML for nothing,
    writes nothing, and leaves its plan in ``dry_run_report``.
    """
    report = RunReport(request)
    undertaking = Undertaking(
        store.ASSET, request.run_id, request.origin, request.shards, request.dry_run, tools.unit_wait_s
    )
    with on_record(undertaking, report, postgres=tools.postgres, log=tools.log):
        _say_started(request, tools.log)
        with tools.postgres.connect() as connection:
            plan = _plan(connection, report)
            tools.log.info("enumerated", scanned=plan.scanned)
            if request.dry_run:
                _rehearse(connection, report, plan, tools.log)
            else:
                _walk(connection, report, plan, tools, on_done)
        _look(report, tools)
        tools.log.info("finished", **report.counters.totals())
    return report


def _say_started(request: Request, log: StepLog) -> None:
    log.info(
        "started",
        batch_size=request.batch_size,
        rate_per_min=request.pace.discogs_calls_per_min,
        budget_ms=request.budget_ms,
        dry_run=request.dry_run,
    )


def _plan(connection: psycopg.Connection, report: RunReport) -> Plan:
    request = report.request
    own_shards = [shard for shard in sorted(request.shards) if shard not in report.refused]
    return store.plan(connection, own_shards, retry_after=request.retry_after, batch_size=request.batch_size)


def _rehearse(connection: psycopg.Connection, report: RunReport, plan: Plan, log: StepLog) -> None:
    """Report what would be asked, in how many calls, and when the budget would be done."""
    pace = report.request.pace
    expected = forecast(connection, plan.to_ask, pace)
    report.done = [
        ShardDone(shard, plan.dry_counters(shard), plan.dry_counters(shard).scanned) for shard in plan.shards
    ]
    report.dry_run_report = plan.dry_run_report(pace, expected)
    log.info(
        "dry_run_plan",
        batch_size=plan.batch_size,
        **report.dry_run_report,
        budget_done_at=expected.done_at,
    )


def _walk(
    connection: psycopg.Connection, report: RunReport, plan: Plan, tools: Tools, on_done: Callable[[ShardDone], None]
) -> None:
    """Drain the shards that the run has; what each brought is in ``report.done``."""
    request = report.request

    def expect(albums: int) -> None:
        ledger.expect_calls(connection, request.run_id, request.pace.calls(albums))

    drain = Drain(
        connection,
        plan,
        tools.lml,
        lambda lane, shard: ShardWriter(lane, request.run_id, shard),
        BatchLog(tools.log, tools.sentry, plan.batches),
        tools.progress,
        request.retry_after,
        request.budget_ms,
        request.pace.in_flight(plan.batch_size, IN_FLIGHT),
        expect,
    )
    expect(plan.to_ask)
    tools.progress.start(store.ASSET, plan.to_ask, unit="albums")
    try:
        with closing(drain.run(list(plan.shards))) as ended:
            for done in ended:
                report.done.append(done)
                if not done.problem:
                    on_done(done)
    finally:
        tools.progress.finish()


def _look(report: RunReport, tools: Tools) -> None:
    """Judge what the run did; on a connection of its own, since one that died in mid-run says nothing of the table."""
    walked = [done for done in report.done if not done.broken]
    report.findings = [
        findings.accounting(
            report.counters,
            walked=summed(done.counters for done in walked),
            inputs_read=sum(done.inputs_read for done in walked),
        )
    ]
    if report.request.dry_run:
        return
    own = {done.shard: findings.of_answers(done.counters) for done in report.done}
    report.findings += blamed(findings.of_answers(report.counters), own)
    try:
        with tools.postgres.connect() as connection:
            if report.counters.upserts:
                tools.log.info("analyze_started")
                store.analyze(connection)
            recent = store.recent_mismatches(connection)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    report.findings.append(findings.of_the_last_day(recent))
    if recent.mismatches:
        tools.log.warning(
            "unexpected_index_24h",
            unexpected_index_24h=recent.mismatches,
            first_mismatch_album_id=recent.album_id,
            first_mismatch=recent.reason,
            first_run_id=recent.run_id,
        )
