"""One run of rated_usage over some hours, without Dagster: prices, locks, hour by hour, ledger, log, report."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from resources.postgres import Postgres
from resources.step_log import StepLog
from wxyc_assets import single_flight
from wxyc_assets.finding import blamed
from wxyc_assets.price_book.book import PriceBook
from wxyc_assets.progress import Progress
from wxyc_assets.rated_usage import announcement, findings, store
from wxyc_assets.rated_usage.lanes import run_lanes
from wxyc_assets.rated_usage.lateness import late_hours
from wxyc_assets.rated_usage.patience import Patience
from wxyc_assets.rated_usage.rater import Work
from wxyc_assets.rated_usage.run_report import HourDone, Request, RunReport
from wxyc_assets.recorded_run import Undertaking, on_record
from wxyc_assets.row_isolation import database_problem

__all__ = ["HourDone", "Request", "RunReport", "Tools", "run"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Tools:
    """What a run works with. ``load_prices`` is called once, when the run is on record, and may refuse."""

    postgres: Postgres
    load_prices: Callable[[], PriceBook]
    log: StepLog
    progress: Progress
    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = time.sleep
    unit_wait_s: float = single_flight.UNIT_WAIT_S


def run(request: Request, tools: Tools, on_done: Callable[[HourDone], None]) -> RunReport:
    """Rate the hours from the first on, calling ``on_done`` in this thread for each that is committed; not in a plan.

    An hour that fails, or that somebody else holds for longer than the run's patience, is left out, and the others are rated.
    Raises what ``load_prices`` raises, before anything is rated; psycopg.OperationalError if the database cannot be reached at
    all; MigrationError if our schema is not there. A database that goes away later makes the run fail, not raise.
    """
    report = RunReport(request)
    # Locked one by one as they are rated: a year has more hours than a server has room for locks.
    undertaking = Undertaking[str](store.ASSET, request.run_id, request.origin, [], request.dry_run)
    with on_record(undertaking, report, postgres=tools.postgres, log=tools.log):
        prices = tools.load_prices()
        tools.log.info(
            "started",
            window=report.window_text,
            hours=len(request.hours),
            origin=request.origin,
            price_digest=prices.digest,
            dry_run=request.dry_run,
        )
        _rate(report, _work(request, tools, prices), tools, on_done)
        _look(report, tools)
        announcement.announce(report, tools.log)
    return report


def _work(request: Request, tools: Tools, prices: PriceBook) -> Work:
    hours: queue.SimpleQueue[str] = queue.SimpleQueue()
    for hour in sorted(request.hours):
        hours.put(hour)
    return Work(
        tools.postgres,
        hours,
        store.Cause(request.run_id, request.origin, prices),
        not request.dry_run,
        Patience(tools.unit_wait_s),
        tools.log,
        tools.sleep,
        stopping=threading.Event(),
    )


def _rate(report: RunReport, work: Work, tools: Tools, on_done: Callable[[HourDone], None]) -> None:
    """Rate what can be rated; what came of each hour is in the report."""
    tools.progress.start(store.ASSET, len(report.request.hours), unit="hours")
    try:
        with closing(run_lanes(work)) as outcomes:
            for outcome in outcomes:
                report.add(outcome)
                if isinstance(outcome, HourDone):
                    announcement.hour_rated(outcome, report.request, tools.log)
                    if not report.request.dry_run:
                        on_done(outcome)
                tools.progress.advance(1)
    finally:
        tools.progress.finish()


def _look(report: RunReport, tools: Tools) -> None:
    """Judge what the run did; a plan has nothing stored to look at."""
    request, total = report.request, report.total
    own = {hour: findings.of_events({hour: rated}, rated) for hour, rated in report.hours.items()}
    report.findings = blamed(findings.of_events(report.hours, total), own)
    report.findings.append(
        findings.of_hours(report.hours, total, asked=len(request.hours), without=len(report.problems))
    )
    if request.dry_run:
        return
    report.findings.append(findings.of_deletions(report.hours, report.ruling, request.origin))
    try:
        with tools.postgres.connect() as connection:
            late = late_hours(connection, tools.now(), request.trailing)
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    report.findings.append(findings.of_lateness(late, trailing=request.trailing, origin=request.origin))
