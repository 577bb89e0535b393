"""One run of library_identity over some shards, without Dagster: locks, drain, ledger, log, span, report."""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg

from resources.postgres import Postgres
from resources.sentry import Sentry
from resources.step_log import StepLog
from wxyc_assets import ledger, single_flight
from wxyc_assets.finding import Finding, failed_errors
from wxyc_assets.library_identity import findings, store
from wxyc_assets.library_identity.counters import Counters, flattened, summed
from wxyc_assets.library_identity.drain import PAGE_SIZE, BatchLog, Drain, Resolver, ShardDone, TallyOnly, Writer
from wxyc_assets.library_identity.lanes import run_lanes
from wxyc_assets.migrate import require_migrated
from wxyc_assets.partitions import SHARD_COUNT
from wxyc_assets.progress import Progress
from wxyc_assets.run_origin import RunOrigin

RECENT_RUNS = 5
"""How many earlier walks of each shard the unresolved rate is compared with."""


@dataclass(frozen=True)
class Request:
    """What a run is asked to do."""

    run_id: str
    origin: RunOrigin
    shards: Sequence[int]
    stale_after: timedelta
    retry_after: timedelta
    include_null_canonical: bool = False
    recheck: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Tools:
    """What a run works with."""

    postgres: Postgres
    lml: Resolver
    sentry: Sentry
    log: StepLog
    progress: Progress
    unit_wait_s: float = single_flight.UNIT_WAIT_S


@dataclass
class RunReport:
    """What a run did and what it thinks of it."""

    request: Request
    done: list[ShardDone] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    @property
    def counters(self) -> Counters:
        """The counts of all shards together."""
        return summed(done.counters for done in self.done)

    @property
    def problems(self) -> dict[int, str]:
        """Why shards could not be credited, by shard."""
        return self.refused | {done.shard: done.problem for done in self.done if done.problem}

    @property
    def could_not_work(self) -> str:
        """Why this run did not do its job, empty if it did: a unit locked, the database gone, LML down for all of it."""
        broken = self.refused | {done.shard: done.problem for done in self.done if done.broken}
        if broken:
            return _by_shard(broken)
        asked = sum(done.inputs_read for done in self.done)
        if asked and self.counters.lml_error == asked:
            return f"LML answered none of the {asked} libraries asked; `wxyc doctor` says whether it is up"
        return ""

    @property
    def verdict(self) -> ledger.RunVerdict:
        """Whether it was done, was done with something to look at, or could not be done."""
        if self.could_not_work:
            return "failed"
        return "anomaly" if self.problems or failed_errors(self.findings) else "done"

    @property
    def reason(self) -> str:
        """One sentence for the ledger and the run page; empty when all is well."""
        failed = failed_errors(self.findings)
        said = (
            self.could_not_work or _by_shard(self.problems),
            f"failed checks: {', '.join(failed)}" if failed else "",
        )
        return "; ".join(filter(None, said))


def _by_shard(problems: Mapping[int, str]) -> str:
    """Name each problem once, with the shards that have it."""
    shards: dict[str, list[int]] = {}
    for shard, problem in sorted(problems.items()):
        shards.setdefault(problem, []).append(shard)
    return "; ".join(f"shard {', '.join(map(str, numbers))}: {problem}" for problem, numbers in shards.items())


def run(request: Request, tools: Tools, on_done: Callable[[ShardDone], None]) -> RunReport:
    """Walk the shards, calling ``on_done`` for each that is credited, as soon as its last page is committed.

    Raises psycopg.OperationalError if the database cannot be reached at all, MigrationError if our schema is not there.
    """
    try:
        with tools.postgres.connect() as connection:
            require_migrated(connection)
            with ExitStack() as stack:
                report = _run(request, tools, connection, stack, on_done)
    except Exception as error:
        tools.log.error("failed", error_message=str(error))
        tools.sentry.error(error, step="failed")
        raise
    if report.verdict == "failed":
        tools.log.error("failed", error_message=report.reason)
    return report


def _run(
    request: Request,
    tools: Tools,
    connection: psycopg.Connection,
    stack: ExitStack,
    on_done: Callable[[ShardDone], None],
) -> RunReport:
    report = RunReport(request)
    if not request.dry_run:
        report.refused = _take_shards(stack, request, tools)
        ledger.begin_run(connection, request.run_id, store.ASSET, request.origin)
    with tools.sentry.span("library-identity-consumer.run", op="job.run") as span:
        try:
            _walk(request, tools, connection, report, on_done)
        finally:
            for name, number in flattened(report.counters.totals(), "consumer"):
                span.set(name, number)
    if not request.dry_run and not connection.closed:
        ledger.end_run(connection, request.run_id, report.verdict, report.reason)
    return report


def _take_shards(stack: ExitStack, request: Request, tools: Tools) -> dict[int, str]:
    """Lock every shard of the run; return who holds those that it cannot have."""
    locks = stack.enter_context(single_flight.run_locks(tools.postgres, request.run_id))
    units = {single_flight.shard_unit(store.ASSET, shard): shard for shard in sorted(request.shards)}
    return {units[refusal.unit]: str(refusal) for refusal in locks.take(list(units), tools.unit_wait_s)}


def _walk(
    request: Request,
    tools: Tools,
    connection: psycopg.Connection,
    report: RunReport,
    on_done: Callable[[ShardDone], None],
) -> None:
    shards = [shard for shard in sorted(request.shards) if shard not in report.refused]
    as_of, highest_id = store.beginning(connection)
    selection = store.Selection(
        as_of=as_of,
        upto_id=highest_id,
        stale_after=request.stale_after,
        retry_after=request.retry_after,
        include_null_canonical=request.include_null_canonical,
        recheck=request.recheck,
    )
    tools.log.info("started", **_started_fields(request))

    batches = BatchLog(tools.log)

    def writer_for(lane: psycopg.Connection, shard: int) -> Writer:
        return TallyOnly() if request.dry_run else store.ShardWriter(lane, request.run_id, shard)

    def drain_on(lane: psycopg.Connection, stopping: threading.Event) -> Drain:
        return Drain(lane, selection, tools.lml, writer_for, batches, tools.progress, stopping)

    def eligible() -> dict[int, int]:
        return store.count_eligible(connection, selection, shards=shards, shard_count=SHARD_COUNT)

    tools.progress.start("library_identity", sum(eligible().values()) if tools.progress.wants_total else None)
    try:
        for done in run_lanes(tools.postgres, shards, drain_on):
            report.done.append(done)
            if not done.problem and not request.dry_run:
                on_done(done)
    finally:
        tools.progress.finish()
    report.findings = _findings(report, connection, eligible)
    tools.log.info("finished", **report.counters.totals())
    if request.dry_run:
        tools.log.info("dry_run", **report.counters.dry_run_report())


def _findings(
    report: RunReport, connection: psycopg.Connection, eligible: Callable[[], dict[int, int]]
) -> list[Finding]:
    walked = [done for done in report.done if not done.broken]
    found = findings.of_answers(
        report.counters,
        walked=summed(done.counters for done in walked),
        inputs_read=sum(done.inputs_read for done in walked),
    )
    if not report.request.dry_run and not connection.closed:
        recent = _recent(connection, report.request)
        found += findings.of_storage(report.counters, eligible_left=eligible(), recent=recent)
    return found


def _recent(connection: psycopg.Connection, request: Request) -> list[Counters]:
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
