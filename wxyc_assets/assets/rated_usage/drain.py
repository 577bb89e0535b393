"""Rates hours one after the other on one session, each under its lock, and goes on past those that it cannot rate."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg

from resources.postgres import Postgres
from resources.step_log import StepLog
from wxyc_assets.rated_usage import store
from wxyc_assets.rated_usage.counters import Rated
from wxyc_assets.rated_usage.patience import Patience
from wxyc_assets.rated_usage.run_report import HourDone, HourMissed
from wxyc_assets.rated_usage.windows import start_of
from wxyc_assets.row_isolation import IN_EACH_OTHERS_WAY, RETRY_AFTER_S, WRITE_ATTEMPTS, database_problem
from wxyc_assets.single_flight import Locks, Refusal, unit

Outcome = HourDone | HourMissed


@dataclass(frozen=True)
class Work:
    """What the raters of one run share.

    ``hours`` has the keys that nobody has taken yet, ascending; ``keep`` is False for a plan.
    """

    postgres: Postgres
    hours: "queue.SimpleQueue[str]"
    cause: store.Cause
    keep: bool
    patience: Patience
    log: StepLog
    sleep: Callable[[float], None]
    stopping: threading.Event


class Rater:
    """Takes hours as long as there are any.

    It holds the lock of an hour on the session that rates it: when that dies, both are gone. It holds one at a time, and none
    while it waits, so that no number of raters can wait for each other in a circle. A plan locks as well: its numbers are those
    of the rating that follows.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        name = f"wxyc_assets run {work.cause.run_id}"  # whom a colleague who must wait is told of
        self._postgres = replace(work.postgres, application_name=name)
        self._connection: psycopg.Connection | None = None
        self._gone = ""

    def run(self) -> Iterator[Outcome]:
        """Yield what came of each hour as soon as it is committed or given up."""
        try:
            while not self._work.stopping.is_set():
                yield self._rate(self._work.hours.get_nowait())
        except queue.Empty:
            return
        finally:
            if self._connection:
                self._connection.close()

    def cancel(self) -> None:
        """End the statement that is running, from another thread; its hour is rolled back."""
        if self._connection:
            with suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=5.0)

    def _rate(self, hour: str) -> Outcome:
        try:
            connection = self._session()
            locks = Locks(connection)
            if refusal := self._take(locks, hour):
                self._work.log.warning("hour_refused", hour=hour, error_message=str(refusal))
                return HourMissed(hour, f"being worked on by {refusal.holder}", refused=True)
            try:
                rated = self._until_undisturbed(connection, start_of(hour))
            finally:
                with suppress(psycopg.OperationalError):  # a session that is gone has let go of it
                    locks.release(unit(store.ASSET, hour))
        except psycopg.Error as error:
            problem = database_problem(error)
            # A line of the log that people grep, not a traceback.
            self._work.log.error("hour_failed", hour=hour, error_message=problem)  # noqa: TRY400
            return HourMissed(hour, problem)
        return HourDone(hour, rated, self._work.cause.prices.digest)

    def _session(self) -> psycopg.Connection:
        """Return the session; a new one if the last hour cost it, but a database that is gone is not asked again."""
        if self._gone:
            raise psycopg.OperationalError(self._gone)
        if self._connection is None or self._connection.closed:
            try:
                self._connection = store.open_session(self._postgres)
            except psycopg.OperationalError as error:
                self._gone = str(error)
                raise
        return self._connection

    def _take(self, locks: Locks, hour: str) -> Refusal | None:
        name = unit(store.ASSET, hour)
        if not locks.take([name], wait_s=0):
            return None
        with self._work.patience.waiting() as left_s:
            refusals = locks.take(
                [name], left_s, lambda who: self._work.log.info("unit_wait", message=f"waiting: {who}", hour=hour)
            )
        return refusals[0] if refusals else None

    def _until_undisturbed(self, connection: psycopg.Connection, hour: datetime) -> Rated:
        """Rate, and again while the only fault is that somebody who knows no locks was writing these rows at that moment."""
        for attempt in range(1, WRITE_ATTEMPTS):
            with suppress(*IN_EACH_OTHERS_WAY):
                return store.rate_hour(connection, hour, self._work.cause, keep=self._work.keep)
            self._work.sleep(attempt * RETRY_AFTER_S)
        return store.rate_hour(connection, hour, self._work.cause, keep=self._work.keep)
