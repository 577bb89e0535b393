"""One run of library_identity over some shards, without Dagster: locks, drain, ledger, log, span, report."""

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from resources import sql_files
from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets.assets.library_identity import checks, store
from wxyc_assets.assets.library_identity.counters import Counters, flattened, summed
from wxyc_assets.assets.library_identity.drain import PAGE_SIZE, Drain, DrainLane
from wxyc_assets.assets.library_identity.lml_requests import Resolver
from wxyc_assets.assets.library_identity.run_log import BatchLog
from wxyc_assets.assets.library_identity.run_report import Request, RunReport
from wxyc_assets.assets.library_identity.writer import DryRunWriter, ShardWriter, Writer
from wxyc_assets.runs import advisory_locks, ledger
from wxyc_assets.runs.bisecting_write import database_problem
from wxyc_assets.runs.breaker_watch import BreakerWatch
from wxyc_assets.runs.findings import Finding, attributed, failed_blocking
from wxyc_assets.runs.lanes import LANES, run_lanes
from wxyc_assets.runs.lifecycle import RunSpec, run_lifecycle
from wxyc_assets.runs.partitions import SHARD_COUNT
from wxyc_assets.runs.progress import Progress
from wxyc_assets.runs.shard_drain import ShardDone
from wxyc_assets.runs.table_statistics import analyze

__all__ = ["Request", "RunReport", "Tools", "run"]

RECENT_RUNS = 5
"""The unresolved rate is compared with that of so many earlier runs of each shard."""


@dataclass(frozen=True)
class Tools:
    """The clients, log and progress that a run uses."""

    postgres: Postgres
    lml: Resolver
    sentry: Sentry
    log: StepLog
    progress: Progress
    unit_wait_s: float = advisory_locks.UNIT_WAIT_S


def run(request: Request, tools: Tools, on_done: Callable[[ShardDone[Counters]], None]) -> RunReport:
    """Process the shards, and call ``on_done`` for each credited shard as soon as its last page is committed.

    Raises psycopg.OperationalError if the database cannot be reached at the start, MigrationError if our schema is missing. If
    the connection is lost later, the run does not raise: its report says ``failed`` and keeps what was counted.
    """
    tools.log.info("init")
    report = RunReport(request)
    spec = RunSpec(store.ASSET, request.run_id, request.origin, request.shards, request.dry_run, tools.unit_wait_s)
    with run_lifecycle(spec, report, postgres=tools.postgres, log=tools.log) as postgres:
        tools = replace(tools, postgres=postgres)
        _process(report, tools, on_done)
    return report


def _process(report: RunReport, tools: Tools, on_done: Callable[[ShardDone[Counters]], None]) -> None:
    with tools.sentry.span("library-identity-consumer.run", op="job.run") as span:
        try:
            selection = _selection(report.request, tools)
            tools.log.info("started", **_started_fields(report.request))
            _drain(report, tools, selection, on_done)
            _analyze(report, tools)
            _evaluate_checks(report, tools, selection)
        finally:
            for name, number in flattened(report.counters.totals(), "consumer"):
                span.set(name, number)
    tools.log.info("finished", **report.counters.totals())
    if report.dry_run:
        report.dry_run_report = report.counters.dry_run_report()
        tools.log.info("dry_run", **report.dry_run_report)


def _selection(request: Request, tools: Tools) -> store.Selection:
    with tools.postgres.connect() as connection:
        as_of, highest_id = store.run_start(connection)
    return store.Selection(
        as_of=as_of,
        upto_id=highest_id,
        stale_after=request.stale_after,
        retry_after=request.retry_after,
        include_null_canonical=request.include_null_canonical,
        recheck=request.recheck,
    )


@contextmanager
def _rare_garbage_collections() -> Iterator[None]:
    """Run the garbage collector less often: a page is thousands of objects without cycles, and it took a quarter of the CPU."""
    usual = gc.get_threshold()
    gc.set_threshold(20_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _drain(
    report: RunReport, tools: Tools, selection: store.Selection, on_done: Callable[[ShardDone[Counters]], None]
) -> None:
    """Drain the shards that were not refused, and append how each ended to ``report.done``."""
    request = report.request
    shards = _shards_to_process(report)
    batches = BatchLog(tools.log, tools.sentry)
    stopping = threading.Event()

    def writer_for(connection: psycopg.Connection, shard: int) -> Writer:
        return DryRunWriter(connection) if request.dry_run else ShardWriter(connection, request.run_id, shard)

    def drain_on(connection: psycopg.Connection) -> Drain:
        breaker = BreakerWatch(tools.lml, tools.log, tools.progress)
        return Drain(connection, selection, tools.lml, writer_for, batches, tools.progress, breaker, stopping)

    lanes = [DrainLane(tools.postgres, shards[first::LANES], drain_on) for first in range(min(LANES, len(shards)))]
    tools.progress.start(store.ASSET, _progress_total(tools, selection, shards), unit="libraries")
    try:
        # Closed here: if this loop raises, the lanes must have ended before the run releases its locks.
        with _rare_garbage_collections(), closing(run_lanes(lanes, stopping)) as ended:
            for done in ended:
                report.add(done, failed_blocking(checks.CHECKS, _findings_of_shard(done)))
                if report.can_credit(done):
                    on_done(done)
    finally:
        tools.progress.finish()


def _findings_of_shard(done: ShardDone[Counters]) -> list[Finding]:
    return checks.of_answers(done.counters, processed=done.counters, inputs_read=done.inputs_read)


def _shards_to_process(report: RunReport) -> list[int]:
    return [shard for shard in sorted(report.request.shards) if shard not in report.refused]


def _progress_total(tools: Tools, selection: store.Selection, shards: Sequence[int]) -> int | None:
    if not tools.progress.wants_total:
        return None
    with tools.postgres.connect() as connection:
        return sum(store.count_eligible(connection, selection, shards=shards, shard_count=SHARD_COUNT).values())


def _analyze(report: RunReport, tools: Tools) -> None:
    """Update the planner's statistics after track credits were written; each of them is a row that PostgreSQL stored anew."""
    if report.request.dry_run or not report.counters.compilation_track_rows_written:
        return
    statement = sql_files.load("wxyc_assets.assets.library_identity", "analyze_track_credits")
    try:
        analyze(tools.postgres, statement, tools.log)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)


def _evaluate_checks(report: RunReport, tools: Tools, selection: store.Selection) -> None:
    """Evaluate the checks on a new connection: one that idled through a long run may have been closed."""
    processed = report.processed
    of_run = checks.of_answers(
        report.counters,
        processed=summed(done.counters for done in processed),
        inputs_read=sum(done.inputs_read for done in processed),
    )
    report.findings = attributed(of_run, {done.shard: _findings_of_shard(done) for done in processed})
    if report.request.dry_run:
        return
    try:
        with tools.postgres.connect() as connection:
            shards = _shards_to_process(report)
            left = store.count_eligible(connection, selection, shards=shards, shard_count=SHARD_COUNT)
            recent = _recent_counters(connection, report.request)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    report.findings += checks.of_storage(report.counters, eligible_left=left, recent=recent)


def _recent_counters(connection: psycopg.Connection, request: Request) -> list[Counters]:
    """Return the counters of earlier runs; none for a recheck, which asks only about libraries that LML did not know."""
    if request.recheck:
        return []
    keys = [str(shard) for shard in request.shards]
    stored = ledger.recent_totals(connection, store.ASSET, keys, request.run_id, RECENT_RUNS * len(keys))
    return [Counters.from_stored(counters) for counters in stored]


def _started_fields(request: Request) -> dict[str, Any]:
    shards = sorted(request.shards)
    all_shards = len(shards) == SHARD_COUNT
    return {
        "batch_size": PAGE_SIZE,
        "va_batch_size": store.VA_PAGE_SIZE,
        "throttle_ms": 0,
        "stale_days": request.stale_after.days,
        "include_null_canonical": request.include_null_canonical,
        "unresolved_retry_days": request.retry_after.days,
        "partition": "none" if all_shards else f"{','.join(map(str, shards))}/{SHARD_COUNT}",
        "cohort": "none",
        "recheck": request.recheck,
        "dry_run": request.dry_run,
    }
