"""One run of library_identity over some shards, without Dagster: locks, drain, ledger, log, span, report."""

import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets import ledger, single_flight
from wxyc_assets.finding import blamed
from wxyc_assets.library_identity import findings, store
from wxyc_assets.library_identity.asking import Resolver
from wxyc_assets.library_identity.batch_log import BatchLog
from wxyc_assets.library_identity.counters import Counters, flattened, summed
from wxyc_assets.library_identity.drain import PAGE_SIZE, Drain, ShardDone
from wxyc_assets.library_identity.lanes import run_lanes
from wxyc_assets.library_identity.run_report import Request, RunReport
from wxyc_assets.library_identity.writers import ShardWriter, TallyOnly, Writer
from wxyc_assets.partitions import SHARD_COUNT
from wxyc_assets.progress import Progress
from wxyc_assets.recorded_run import Undertaking, on_record
from wxyc_assets.row_isolation import database_problem

__all__ = ["Request", "RunReport", "Tools", "run"]

RECENT_RUNS = 5
"""How many earlier walks of each shard the unresolved rate is compared with."""


@dataclass(frozen=True)
class Tools:
    """What a run works with."""

    postgres: Postgres
    lml: Resolver
    sentry: Sentry
    log: StepLog
    progress: Progress
    unit_wait_s: float = single_flight.UNIT_WAIT_S


def run(request: Request, tools: Tools, on_done: Callable[[ShardDone], None]) -> RunReport:
    """Walk the shards, calling ``on_done`` for each that is credited, as soon as its last page is committed.

    Raises psycopg.OperationalError if the database cannot be reached at all, MigrationError if our schema is not there. A
    database that goes away later makes the run fail, not raise: it keeps what it counted.
    """
    tools.log.info("init")
    report = RunReport(request)
    undertaking = Undertaking(
        store.ASSET, request.run_id, request.origin, request.shards, request.dry_run, tools.unit_wait_s
    )
    with on_record(undertaking, report, postgres=tools.postgres, log=tools.log):
        _work(report, tools, on_done)
    return report


def _work(report: RunReport, tools: Tools, on_done: Callable[[ShardDone], None]) -> None:
    with tools.sentry.span("library-identity-consumer.run", op="job.run") as span:
        try:
            selection = _selection(report.request, tools)
            tools.log.info("started", **_started_fields(report.request))
            _walk(report, tools, selection, on_done)
            _look(report, tools, selection)
        finally:
            for name, number in flattened(report.counters.totals(), "consumer"):
                span.set(name, number)
    tools.log.info("finished", **report.counters.totals())
    if report.request.dry_run:
        tools.log.info("dry_run", **report.counters.dry_run_report())


def _selection(request: Request, tools: Tools) -> store.Selection:
    with tools.postgres.connect() as connection:
        as_of, highest_id = store.beginning(connection)
    return store.Selection(
        as_of=as_of,
        upto_id=highest_id,
        stale_after=request.stale_after,
        retry_after=request.retry_after,
        include_null_canonical=request.include_null_canonical,
        recheck=request.recheck,
    )


@contextmanager
def _rare_collections() -> Iterator[None]:
    """Look for cycles less often: pages are thousands of objects without any, and looking took a quarter of a run's CPU."""
    usual = gc.get_threshold()
    gc.set_threshold(20_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _walk(report: RunReport, tools: Tools, selection: store.Selection, on_done: Callable[[ShardDone], None]) -> None:
    """Drain the shards that the run has; what each brought is in ``report.done``."""
    request = report.request
    shards = _own_shards(report)
    batches = BatchLog(tools.log, tools.sentry)

    def writer_for(lane: psycopg.Connection, shard: int) -> Writer:
        return TallyOnly() if request.dry_run else ShardWriter(lane, request.run_id, shard)

    def drain_on(lane: psycopg.Connection, stopping: threading.Event) -> Drain:
        return Drain(lane, selection, tools.lml, writer_for, batches, tools.progress, stopping)

    tools.progress.start(store.ASSET, _expected(tools, selection, shards), unit="libraries")
    try:
        # Closed here: what is raised in this loop must not find the lanes at work after the locks are gone.
        with _rare_collections(), closing(run_lanes(tools.postgres, shards, drain_on)) as ended:
            for done in ended:
                report.done.append(done)
                if not done.problem and not request.dry_run:
                    on_done(done)
    finally:
        tools.progress.finish()


def _own_shards(report: RunReport) -> list[int]:
    return [shard for shard in sorted(report.request.shards) if shard not in report.refused]


def _expected(tools: Tools, selection: store.Selection, shards: Sequence[int]) -> int | None:
    if not tools.progress.wants_total:
        return None
    with tools.postgres.connect() as connection:
        return sum(store.count_eligible(connection, selection, shards=shards, shard_count=SHARD_COUNT).values())


def _look(report: RunReport, tools: Tools, selection: store.Selection) -> None:
    """Judge what the run did; on a connection of its own, since one that idled through a long run may be gone."""
    walked = [done for done in report.done if not done.broken]
    answered = findings.of_answers(
        report.counters,
        walked=summed(done.counters for done in walked),
        inputs_read=sum(done.inputs_read for done in walked),
    )
    own = {
        done.shard: findings.of_answers(done.counters, walked=done.counters, inputs_read=done.inputs_read)
        for done in walked
    }
    report.findings = blamed(answered, own)
    if report.request.dry_run:
        return
    try:
        with tools.postgres.connect() as connection:
            left = store.count_eligible(connection, selection, shards=_own_shards(report), shard_count=SHARD_COUNT)
            recent = _recent(connection, report.request)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    report.findings += findings.of_storage(report.counters, eligible_left=left, recent=recent)


def _recent(connection: psycopg.Connection, request: Request) -> list[Counters]:
    """Return what earlier walks counted; nothing for a recheck, which asks only what LML did not know before."""
    if request.recheck:
        return []
    keys = [str(shard) for shard in request.shards]
    stored = ledger.recent_totals(connection, store.ASSET, keys, request.run_id, RECENT_RUNS * len(keys))
    return [Counters.from_stored(counters) for counters in stored]


def _started_fields(request: Request) -> dict[str, Any]:
    shards = sorted(request.shards)
    every = len(shards) == SHARD_COUNT
    return {
        "batch_size": PAGE_SIZE,
        "throttle_ms": 0,
        "stale_days": request.stale_after.days,
        "include_null_canonical": request.include_null_canonical,
        "unresolved_retry_days": request.retry_after.days,
        "partition": "none" if every else f"{','.join(map(str, shards))}/{SHARD_COUNT}",
        "cohort": "none",
        "recheck": request.recheck,
        "dry_run": request.dry_run,
    }
