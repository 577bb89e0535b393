"""One run of rated_usage over some hours, without Dagster: prices, locks, hour by hour, ledger, log, report."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import psycopg

from resources.postgres import Postgres
from resources.step_log import StepLog
from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.rated_usage import checks, run_log, store
from wxyc_assets.assets.rated_usage.drain import HourDrain, Work
from wxyc_assets.assets.rated_usage.lateness import late_hours
from wxyc_assets.assets.rated_usage.pricing import Pricing
from wxyc_assets.assets.rated_usage.run_report import HourDone, HourSealed, Request, RunReport
from wxyc_assets.assets.rated_usage.unbilled.search import estimate_costs, find_unbilled, search_window
from wxyc_assets.assets.rated_usage.unbilled.usage import of_unbilled
from wxyc_assets.assets.rated_usage.unpushed import push_windows
from wxyc_assets.assets.rated_usage.wait_budget import WaitBudget
from wxyc_assets.database.billing import NO_BILLING, has_billing
from wxyc_assets.runs import advisory_locks
from wxyc_assets.runs.bisecting_write import database_problem
from wxyc_assets.runs.findings import attributed
from wxyc_assets.runs.lanes import LANES, run_lanes
from wxyc_assets.runs.lifecycle import RunSpec, run_lifecycle
from wxyc_assets.runs.progress import Progress

__all__ = ["HourDone", "Request", "RunReport", "Tools", "run"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class NoBillingError(Exception):
    """The station has no billing tables, so that there is nothing to rate."""


@dataclass(frozen=True)
class Tools:
    """The resources of a run.

    ``load_prices`` is called once, after the run is recorded. It may raise PriceFileError, and NoPriceBookError for prices that
    an operator named.
    """

    postgres: Postgres
    load_prices: Callable[[], PriceBook]
    log: StepLog
    progress: Progress
    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = time.sleep
    unit_wait_s: float = advisory_locks.UNIT_WAIT_S


def run(request: Request, tools: Tools, on_done: Callable[[HourDone], None]) -> RunReport:
    """Rate the hours in ascending order, and call ``on_done`` in this thread for each that can be credited; not in a plan.

    An hour is left out if it fails, or if another run holds its lock for longer than the run's wait budget; the others are
    rated. Raises what ``load_prices`` raises, before any hour is rated; psycopg.OperationalError if the database cannot be
    reached at all; NoBillingError if the station has no billing tables; MigrationError if our schema is missing. If the
    database is lost later, the run fails without an exception.
    """
    report = RunReport(request)
    # No units: each hour is locked while it is rated. A year has more hours than a server has room for locks.
    spec = RunSpec[str](store.ASSET, request.run_id, request.origin, [], request.dry_run)
    with run_lifecycle(spec, report, postgres=tools.postgres, log=tools.log) as postgres:
        tools = replace(tools, postgres=postgres)
        _require_billing(tools.postgres)
        prices = _load_prices(request, tools)
        tools.log.info(
            "started",
            window=report.window_text,
            hours=len(request.hours),
            origin=request.origin,
            price_digest=prices.digest,
            dry_run=request.dry_run,
        )
        _rate(report, _work(request, tools, prices), tools, on_done)
        if request.dry_run:
            report.dry_run_report = report.plan
        _evaluate_checks(report, tools, prices)
        run_log.log_summary(report, tools.log)
    return report


def _require_billing(postgres: Postgres) -> None:
    with postgres.connect() as connection:
        if not has_billing(connection):
            raise NoBillingError(
                f"{NO_BILLING}: {postgres.location()} has no billing_event and rated_usage in "
                f"schema {postgres.schemas[-1]} (BILLING_SCHEMA_NAME), so rated_usage has nothing to rate"
            )


def _load_prices(request: Request, tools: Tools) -> PriceBook:
    """Load the prices, and keep their file, so that the hours can be rated with them again."""
    prices = tools.load_prices()
    if not request.dry_run:
        with tools.postgres.connect() as connection:
            store.keep_price_book(connection, prices, request.run_id)
    return prices


def _work(request: Request, tools: Tools, prices: PriceBook) -> Work:
    hours: queue.SimpleQueue[str] = queue.SimpleQueue()
    for hour in sorted(request.hours):
        hours.put(hour)
    return Work(
        tools.postgres,
        hours,
        store.Cause(request.run_id, request.origin, prices),
        Pricing(prices, hold=request.hold_prices and request.origin == "routine", named=request.named_prices),
        not request.dry_run,
        WaitBudget(tools.unit_wait_s),
        tools.log,
        tools.sleep,
        stopping=threading.Event(),
    )


def _rate(report: RunReport, work: Work, tools: Tools, on_done: Callable[[HourDone], None]) -> None:
    """Rate the hours; the outcome of each goes to the report."""
    lanes = [HourDrain(work) for _ in range(min(LANES, len(report.request.hours)))]
    tools.progress.start(store.ASSET, len(report.request.hours), unit="hours")
    try:
        with closing(run_lanes(lanes, work.stopping)) as outcomes:
            for outcome in outcomes:
                report.add(outcome)
                if isinstance(outcome, HourDone):
                    run_log.log_hour(outcome, report.request, tools.log)
                    if report.can_credit(outcome):
                        on_done(outcome)
                elif isinstance(outcome, HourSealed):
                    run_log.log_sealed(outcome, tools.log)
                tools.progress.advance(1)
    finally:
        tools.progress.finish()


def _evaluate_checks(report: RunReport, tools: Tools, prices: PriceBook) -> None:
    """Evaluate the checks; for a plan, only those that need no stored rows."""
    request, total = report.request, report.total
    own = {hour: checks.of_events({hour: rated}, rated) for hour, rated in report.hours.items()}
    report.findings = attributed(checks.of_events(report.hours, total), own)
    report.findings.append(checks.of_prices(report.hours, report.held_back, origin=request.origin))
    report.findings.append(checks.of_seals(report.sealed))
    report.findings.append(checks.of_hours(report.hours, total, asked=len(request.hours), without=len(report.problems)))
    if request.dry_run:
        return
    report.findings.append(checks.of_deletions(report.hours, report.policy_decision, request.origin))
    try:
        with tools.postgres.connect() as connection:
            late = late_hours(connection, tools.now(), request.trailing, request.billing_start)
            window = search_window(tools.now(), request.trailing, request.billing_start)
            unbilled = find_unbilled(connection, window)
            cause = store.Cause(request.run_id, request.origin, prices)
            report.push_needed = push_windows(connection, request.run_id)
            unbilled = estimate_costs(connection, unbilled, lambda hour: store.cost_of(tools.postgres, hour, cause))
    except psycopg.OperationalError as error:
        report.lost = database_problem(error)
        return
    report.findings.append(checks.of_lateness(late, trailing=request.trailing, origin=request.origin))
    report.findings.append(of_unbilled(unbilled, origin=request.origin))
