"""One run of flowsheet_enrichment over some shards, without Dagster: locks, trust, drain, ledger, log, report."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import psycopg

from resources.postgres import Postgres
from resources.step_log import StepLog
from wxyc_assets.assets.flowsheet_enrichment import checks, store
from wxyc_assets.assets.flowsheet_enrichment.drain import CHUNK_PLAYS, Drain
from wxyc_assets.assets.flowsheet_enrichment.pauses import Pauses
from wxyc_assets.assets.flowsheet_enrichment.run_report import Request, RunReport, ShardDone
from wxyc_assets.assets.flowsheet_enrichment.writer import DryRunWriter, FlowsheetWriter
from wxyc_assets.runs import advisory_locks
from wxyc_assets.runs.bisecting_write import database_problem
from wxyc_assets.runs.lifecycle import RunSpec, run_lifecycle
from wxyc_assets.runs.progress import Progress

__all__ = ["Request", "RunReport", "ShardDone", "Tools", "run"]


@dataclass(frozen=True)
class Tools:
    """The clients, log and progress that a run uses.

    Attributes:
        postgres: the station's database.
        log: of the run.
        progress: of the run.
        notify: shows a sentence on the page of the run.
        sleep: waits for some seconds.
        clock: a monotonic clock in seconds.
        unit_wait_s: how long the run waits for the lock of a shard.
        chunk_plays: the maximum number of rows that one transaction marks.
    """

    postgres: Postgres
    log: StepLog
    progress: Progress
    notify: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    unit_wait_s: float = advisory_locks.UNIT_WAIT_S
    chunk_plays: int = CHUNK_PLAYS


def run(request: Request, tools: Tools, on_done: Callable[[ShardDone], None]) -> RunReport:
    """Mark every waiting play, then call ``on_done`` for each shard that was processed to its end.

    Raises psycopg.OperationalError if the database cannot be reached at the start, MigrationError if our schema is missing. If
    the connection is lost later, the run does not raise: its report says ``failed`` and keeps what was counted.
    """
    report = RunReport(request)
    spec = RunSpec(store.ASSET, request.run_id, request.origin, request.shards, request.dry_run, tools.unit_wait_s)
    with run_lifecycle(spec, report, postgres=tools.postgres, log=tools.log) as postgres:
        tools = replace(tools, postgres=postgres)
        _refuse_untrusted_shards(report, tools)
        _process(report, tools, on_done)
    return report


def _refuse_untrusted_shards(report: RunReport, tools: Tools) -> None:
    """Refuse the shards whose album_metadata cannot be trusted.

    The run holds their locks by now: while it waited for them, album_metadata may have run.
    """
    with tools.postgres.connect() as connection:
        for shard, metadata in store.untrusted_shards(connection, report.shards).items():
            tools.log.warning("shard_refused", shard=shard, error_message=str(metadata))
            report.untrusted[shard] = metadata.unexpected_index
            report.refused[shard] = str(metadata)


def _process(report: RunReport, tools: Tools, on_done: Callable[[ShardDone], None]) -> None:
    request = report.request
    tools.log.info(
        "started",
        shards=report.shards,
        chunk_size=tools.chunk_plays,
        lookback_seconds=request.lookback_s,
        dry_run=request.dry_run,
    )
    if report.shards:
        _mark_waiting(report, tools, on_done)
    else:
        report.findings = checks.of_plays(report.counters, plays_read=0, untrusted=report.untrusted)
    tools.log.info("finished", **report.counters.stored())


def _mark_waiting(report: RunReport, tools: Tools, on_done: Callable[[ShardDone], None]) -> None:
    with tools.postgres.connect() as connection:
        drain = _open_drain(connection, report, tools)
        try:
            _run_drain(drain, report, tools)
        except psycopg.Error as error:
            report.stopped = database_problem(error)
        report.tallied = drain.writer.tallied
    if report.stopped:
        return
    _evaluate_checks(report, drain, tools)
    if not report.request.dry_run:
        for shard in report.shards:
            on_done(ShardDone(shard, report.tallied[shard], report.counters.paused_ms))


def _open_drain(connection: psycopg.Connection, report: RunReport, tools: Tools) -> Drain:
    request = report.request

    def rejected(play: store.Play, reason: str) -> None:
        tools.log.warning("writer_error", flowsheet_id=play.play_id, error_message=reason)

    selection = store.current_selection(connection, report.shards, request.grace)
    return Drain(
        connection,
        selection,
        DryRunWriter(report.shards)
        if request.dry_run
        else FlowsheetWriter(connection, request.run_id, selection, rejected, tools.sleep),
        Pauses(
            is_live=lambda: store.dj_is_live(connection, request.lookback_s),
            lookback_s=0 if request.dry_run else request.lookback_s,  # a dry run locks no row, so it need not pause
            log=tools.log,
            notify=tools.notify,
            sleep=tools.sleep,
        ),
        tools.log,
        tools.progress,
        tools.clock,
        tools.chunk_plays,
    )


def _run_drain(drain: Drain, report: RunReport, tools: Tools) -> None:
    total = None
    if tools.progress.wants_total:
        total = sum(store.count_waiting(drain.connection, drain.selection).values())
    tools.log.info("post_pass_started", statement_timeout_ms=store.STATEMENT_TIMEOUT_MS)
    tools.progress.start(store.ASSET, total, unit="plays")
    try:
        drain.run()
    finally:
        tools.progress.finish()
    for shard in report.shards:
        drain.writer.complete(shard)
    tools.log.info(
        "post_pass_update_done",
        flipped=sum(counters.flipped for counters in drain.writer.tallied.values()),
        wall_clock_ms=round(drain.write_s * 1000),
    )


def _evaluate_checks(report: RunReport, drain: Drain, tools: Tools) -> None:
    """Evaluate the checks on a new connection: the run's may have been lost."""
    report.findings = checks.of_plays(report.counters, plays_read=drain.plays_read, untrusted=report.untrusted)
    if report.request.dry_run:
        return
    try:
        with tools.postgres.connect() as connection:
            left = store.count_waiting(connection, drain.selection)
            lost = store.marked_without_metadata(connection)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    report.findings += [*checks.of_storage(report.counters, waiting_left=left), checks.of_marked_plays(lost)]
