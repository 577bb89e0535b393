"""Drains hours: a lane rates one hour after the other on one session, each under its lock, and skips those it cannot rate."""

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

import psycopg

from resources.postgres import Postgres
from resources.price_file import PriceFileError
from resources.step_log import StepLog
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.counters import RatingResult
from wxyc_assets.assets.rated_usage.pricing import NoPriceBookError, Pricing
from wxyc_assets.assets.rated_usage.run_report import HourDone, HourMissed, HourSealed
from wxyc_assets.assets.rated_usage.seals import chain
from wxyc_assets.assets.rated_usage.wait_budget import WaitBudget
from wxyc_assets.runs.advisory_locks import Locks, Refusal, unit
from wxyc_assets.runs.bisecting_write import database_problem, retry_on_conflict
from wxyc_assets.runs.lanes import STOP_GRACE_S
from wxyc_assets.runs.partitions import hour_start

Outcome = HourDone | HourMissed | HourSealed


@dataclass(frozen=True)
class Work:
    """The state that the lanes of one run share.

    ``hours``: the keys that no lane has taken yet, ascending. ``commit``: False for a plan.
    """

    postgres: Postgres
    hours: "queue.SimpleQueue[str]"
    cause: store.Cause
    pricing: Pricing
    commit: bool
    wait_budget: WaitBudget
    log: StepLog
    sleep: Callable[[float], None]
    stopping: threading.Event


class HourDrain:
    """The work of one lane: it takes hours until none is left.

    It holds the lock of an hour on the session that rates it: if that session dies, both are gone. It holds one lock at a time,
    and none while it waits, so that no number of lanes can wait for each other in a circle. A plan locks as well: its numbers
    are those of the rating that follows.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        name = f"wxyc_assets run {work.cause.run_id}"  # the holder that a waiting run names
        self._postgres = replace(work.postgres, application_name=name)
        self._connection: psycopg.Connection | None = None
        self._gone = ""

    def run(self) -> Iterator[Outcome]:
        """Yield the outcome of each hour as soon as it is committed or given up."""
        try:
            while not self._work.stopping.is_set():
                yield self._rate(self._work.hours.get_nowait())
        except queue.Empty:
            return
        finally:
            if self._connection:
                self._connection.close()

    def cancel(self) -> None:
        """Cancel the running statement, from another thread; its hour is rolled back."""
        if self._connection:
            with suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=STOP_GRACE_S)

    def _rate(self, hour: str) -> Outcome:
        try:
            connection = self._session()
            locks = Locks(connection)
            if refusal := self._take(locks, hour):
                self._work.log.warning("hour_refused", hour=hour, error_message=str(refusal))
                return HourMissed(hour, f"being worked on by {refusal.holder}", refused=True)
            try:
                return self._rate_with_prices(connection, hour)
            finally:
                with suppress(psycopg.OperationalError):  # a lost session holds no lock
                    locks.release(unit(store.ASSET, hour))
        except psycopg.Error as error:
            return self._missed(hour, database_problem(error))
        except (NoPriceBookError, PriceFileError) as error:
            return self._missed(hour, str(error))

    def _missed(self, hour: str, problem: str) -> HourMissed:
        self._work.log.error("hour_failed", hour=hour, error_message=problem)
        return HourMissed(hour, problem)

    def _rate_with_prices(self, connection: psycopg.Connection, hour: str) -> HourDone | HourSealed:
        """Rate the hour with its prices; if they are held, find out what those in force would change.

        A sealed hour is only compared. The hour's lock is held, so that it is neither sealed nor opened meanwhile.
        """
        start, pricing = hour_start(hour), self._work.pricing
        book = pricing.book_for(connection, start)
        causes = [replace(self._work.cause, prices=book)]
        if pricing.is_held(book, start):
            causes.append(replace(self._work.cause, prices=pricing.current))
        sealed = chain.is_sealed(connection, start)
        rated, *held_back = retry_on_conflict(
            lambda _attempt: self._rate_and_compare(connection, start, causes, commit=self._work.commit and not sealed),
            sleep=self._work.sleep,
        )
        if sealed and rated.counters.changes:
            return HourSealed(hour, rated)
        return HourDone(hour, rated, book.digest, next(iter(held_back), None))

    def _session(self) -> psycopg.Connection:
        """Return the session, a new one if the last was lost; once no session can be opened, no further attempt is made."""
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
        with self._work.wait_budget.waiting() as left_s:
            says = f"waiting for at most {left_s:.0f} s"
            refusals = locks.take(
                [name], left_s, lambda who: self._work.log.info("unit_wait", message=f"{says}: {who}", hour=hour)
            )
        return refusals[0] if refusals else None

    def _rate_and_compare(
        self, connection: psycopg.Connection, hour: datetime, causes: Sequence[store.Cause], *, commit: bool
    ) -> list[RatingResult]:
        """Rate the hour for the first cause, and find out what the others would change: all in one transaction, or nothing.

        A writer that takes no advisory lock may be writing the same rows: then it raises one of LOCK_CONFLICTS.
        """
        first, *others = causes
        with connection.transaction():
            rated = store.rate_hour(connection, hour, first, commit=commit)
            return [rated, *(store.rate_hour(connection, hour, other, commit=False) for other in others)]
