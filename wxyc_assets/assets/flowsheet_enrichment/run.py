"""One run of flowsheet_enrichment over some shards, without Dagster: locks, trust, walk, ledger, log, report."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from resources.postgres import Postgres
from resources.step_log import StepLog
from wxyc_assets import single_flight
from wxyc_assets.flowsheet_enrichment import findings, store
from wxyc_assets.flowsheet_enrichment.pauses import Pauses
from wxyc_assets.flowsheet_enrichment.run_report import Request, RunReport, ShardDone
from wxyc_assets.flowsheet_enrichment.walk import CHUNK_PLAYS, Walk
from wxyc_assets.flowsheet_enrichment.writers import Flipper, TallyOnly
from wxyc_assets.progress import Progress
from wxyc_assets.recorded_run import Undertaking, on_record
from wxyc_assets.row_isolation import database_problem

__all__ = ["Request", "RunReport", "ShardDone", "Tools", "run"]


@dataclass(frozen=True)
class Tools:
    """What a run works with. ``tell`` hears, in a sentence, of what a person who watches the run should know.

    ``sleep`` and ``clock`` are in seconds; ``chunk_plays`` is how many rows a transaction marks at most.
    """

    postgres: Postgres
    log: StepLog
    progress: Progress
    tell: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    unit_wait_s: float = single_flight.UNIT_WAIT_S
    chunk_plays: int = CHUNK_PLAYS


def run(request: Request, tools: Tools, on_done: Callable[[ShardDone], None]) -> RunReport:
    """Mark every play that waits, then call ``on_done`` for each shard that was walked to its end.

    Raises psycopg.OperationalError if the database cannot be reached at all, MigrationError if our schema is not there. A
    database that goes away later makes the run fail, not raise: it keeps what it counted.
    """
    report = RunReport(request)
    undertaking = Undertaking(
        store.ASSET, request.run_id, request.origin, request.shards, request.dry_run, tools.unit_wait_s
    )
    with on_record(undertaking, report, postgres=tools.postgres, log=tools.log):
        _refuse_distrusted(report, tools)
        _work(report, tools, on_done)
    return report


def _refuse_distrusted(report: RunReport, tools: Tools) -> None:
    """Keep off the shards that must not be touched; once they are ours, since their album_metadata may have run meanwhile."""
    with tools.postgres.connect() as connection:
        for shard, distrust in store.distrusted(connection, report.shards).items():
            tools.log.warning("shard_refused", shard=shard, error_message=str(distrust))
            report.distrusted[shard] = distrust.unexpected_index
            report.refused[shard] = str(distrust)


def _work(report: RunReport, tools: Tools, on_done: Callable[[ShardDone], None]) -> None:
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
        report.findings = findings.of_plays(report.counters, plays_read=0, distrusted=report.distrusted)
    tools.log.info("finished", **report.counters.stored())


def _mark_waiting(report: RunReport, tools: Tools, on_done: Callable[[ShardDone], None]) -> None:
    with tools.postgres.connect() as connection:
        walk = _walk_on(connection, report, tools)
        try:
            _walk(walk, report, tools)
        except psycopg.Error as error:
            report.stopped = database_problem(error)
        report.tallied = walk.writer.tallied
    if report.stopped:
        return
    _look(report, walk, tools)
    if not report.request.dry_run:
        for shard in report.shards:
            on_done(ShardDone(shard, report.tallied[shard], report.counters.paused_ms))


def _walk_on(connection: psycopg.Connection, report: RunReport, tools: Tools) -> Walk:
    request = report.request

    def rejected(play: store.Play, reason: str) -> None:
        tools.log.warning("writer_error", flowsheet_id=play.play_id, error_message=reason)

    return Walk(
        connection,
        store.beginning(connection, report.shards),
        TallyOnly(report.shards)
        if request.dry_run
        else Flipper(connection, request.run_id, report.shards, rejected, tools.sleep),
        Pauses(
            live=lambda: store.dj_is_live(connection, request.lookback_s),
            lookback_s=0 if request.dry_run else request.lookback_s,  # what writes nothing is in nobody's way
            log=tools.log,
            tell=tools.tell,
            sleep=tools.sleep,
        ),
        tools.log,
        tools.progress,
        tools.clock,
        tools.chunk_plays,
    )


def _walk(walk: Walk, report: RunReport, tools: Tools) -> None:
    total = None
    if tools.progress.wants_total:
        total = sum(store.count_waiting(walk.connection, walk.selection).values())
    tools.log.info("post_pass_started", statement_timeout_ms=store.STATEMENT_TIMEOUT_MS)
    tools.progress.start(store.ASSET, total, unit="plays")
    try:
        walk.run()
    finally:
        tools.progress.finish()
    for shard in report.shards:
        walk.writer.complete(shard)
    tools.log.info(
        "post_pass_update_done",
        flipped=sum(counters.flipped for counters in walk.writer.tallied.values()),
        wall_clock_ms=round(walk.worked_s * 1000),
    )


def _look(report: RunReport, walk: Walk, tools: Tools) -> None:
    """Judge what the run did, on a connection of its own: the one that it worked with may have had enough."""
    report.findings = findings.of_plays(report.counters, plays_read=walk.plays_read, distrusted=report.distrusted)
    if report.request.dry_run:
        return
    try:
        with tools.postgres.connect() as connection:
            left = store.count_waiting(connection, walk.selection)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    report.findings += findings.of_storage(report.counters, waiting_left=left)
