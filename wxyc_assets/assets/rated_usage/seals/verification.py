"""Recomputes hours from their events and prices, and compares them bit for bit with what is billed and what was sealed."""

import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from resources.postgres import Postgres
from resources.price_file import PriceFileError
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.pricing import NoPriceBookError
from wxyc_assets.assets.rated_usage.seals import chain
from wxyc_assets.assets.rated_usage.seals.examination import Examination, PriceBooks, examine, rows_unlike_ledger
from wxyc_assets.assets.rated_usage.seals.receipt import SealedState, chain_problems, sealed_states
from wxyc_assets.assets.rated_usage.seals.sealing import SealError, hour_locked
from wxyc_assets.runs.advisory_locks import Locks
from wxyc_assets.runs.bisecting_write import database_problem, retry_on_conflict
from wxyc_assets.runs.lanes import LANES, STOP_GRACE_S, run_lanes
from wxyc_assets.runs.partitions import hour_key, hour_ranges

NEVER_RATED = "never rated by this program, so that there is nothing to compare it with"


@dataclass(frozen=True)
class HourVerified:
    """An hour, whether it is sealed, and what is wrong with it. ``is_known``: False if it could not be compared."""

    hour: datetime
    sealed: bool
    problems: Sequence[str] = ()
    is_known: bool = True


@dataclass(frozen=True)
class Chain:
    """The chain of seals as it was read: what is wrong with it, the states that it seals, and its head."""

    problems: Sequence[str]
    states: Mapping[datetime, SealedState]
    head: str
    digests: frozenset[str]


def read_chain(postgres: Postgres) -> Chain:
    """Read the whole chain and check each entry. Raises psycopg.Error."""
    with postgres.connect() as connection:
        entries = chain.entries(connection)
    head = entries[-1].digest if entries else ""
    return Chain(
        list(chain_problems(entries)), sealed_states(entries), head, frozenset(entry.digest for entry in entries)
    )


def verify(
    postgres: Postgres, hours: Sequence[datetime], states: Mapping[datetime, SealedState]
) -> Iterator[HourVerified]:
    """Yield the result of each hour, as soon as it is known. Rates each under its lock and rolls it back: no bill changes.

    Raises psycopg.OperationalError if the database is lost.
    """
    work = _Work(postgres, states)
    for hour in hours:
        work.hours.put(hour)
    lanes = [_VerifyLane(work) for _ in range(min(LANES, len(hours)))]
    with closing(run_lanes(lanes, work.stopping)) as results:
        yield from results


@dataclass(frozen=True)
class _Work:
    """What the lanes share."""

    postgres: Postgres
    states: Mapping[datetime, SealedState]
    hours: "queue.SimpleQueue[datetime]" = field(default_factory=queue.SimpleQueue)
    books: PriceBooks = field(default_factory=PriceBooks)
    stopping: threading.Event = field(default_factory=threading.Event)


class _VerifyLane:
    """Verifies hours on one session until none is left."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._connection: psycopg.Connection | None = None

    def run(self) -> Iterator[HourVerified]:
        with closing(store.open_session(self._work.postgres)) as self._connection:
            locks = Locks(self._connection)
            with suppress(queue.Empty):
                while not self._work.stopping.is_set():
                    yield self._verify(self._connection, locks, self._work.hours.get_nowait())

    def cancel(self) -> None:
        if self._connection:
            with suppress(psycopg.Error):
                self._connection.cancel_safe(timeout=STOP_GRACE_S)

    def _verify(self, connection: psycopg.Connection, locks: Locks, hour: datetime) -> HourVerified:
        sealed = self._work.states.get(hour)
        try:
            with hour_locked(locks, hour):
                problems = retry_on_conflict(
                    lambda _attempt: self._problems(connection, hour, sealed), sleep=time.sleep
                )
        except (SealError, NoPriceBookError, PriceFileError) as error:
            return HourVerified(hour, sealed is not None, [str(error)], is_known=False)
        except psycopg.OperationalError:
            raise
        except psycopg.Error as error:  # such as an id that a row of another hour has
            return HourVerified(hour, sealed is not None, [f"rating it again fails: {database_problem(error)}"])
        if problems is None:
            return HourVerified(hour, sealed=False, problems=[NEVER_RATED], is_known=False)
        return HourVerified(hour, sealed is not None, problems)

    def _problems(self, connection: psycopg.Connection, hour: datetime, sealed: SealedState | None) -> list[str] | None:
        """Return what is wrong with an hour; None if nothing is known about it."""
        with connection.transaction(force_rollback=True):
            found = examine(connection, hour, self._work.books, sealed.price_digest if sealed else None)
            if found is None:
                return None if sealed is None else ["its rating is gone from wxyc_assets.rated_hour"]
            if sealed is None:
                accepted = found.differences and chain.is_accepted(connection, hour)
                return [] if accepted else [*found.differences, *rows_unlike_ledger(connection, hour)]
            problems = _unlike_seal(found, sealed)
            return [*problems, *found.differences, *rows_unlike_ledger(connection, hour)] if problems else []


def _unlike_seal(found: Examination, sealed: SealedState) -> list[str]:
    now = found.state
    problems = []
    if now.rows_digest != sealed.rows_digest:
        problems.append(
            f"its {now.row_count} rows ({now.cost} USD) are not the {sealed.row_count} that were sealed ({sealed.cost} USD)"
        )
    if now.events_digest != sealed.events_digest:
        problems.append(f"its {now.event_count} events are not the {sealed.event_count} that it was sealed with")
    if (now.accepted_rows, now.accepted_cost) != (sealed.accepted_rows, sealed.accepted_cost):
        problems.append("rating it with its own prices gives other rows than when it was sealed")
    if (now.price_digest, now.rated_by) != (sealed.price_digest, sealed.rated_by):
        problems.append("wxyc_assets.rated_hour names another rating of it than when it was sealed")
    return problems


def in_words(results: Iterable[HourVerified]) -> list[str]:
    """Return what is wrong with hours, in one line each; consecutive hours with the same problem have one line."""
    having: dict[str, list[str]] = {}
    for result in results:
        sealed = " (sealed)" if result.sealed else ""
        having.setdefault(f"{sealed}: {'; '.join(result.problems)}", []).append(hour_key(result.hour))
    found = [(first, last, problem) for problem, hours in having.items() for first, last in hour_ranges(hours)]
    return [f"{first if first == last else f'{first} to {last}'}{problem}" for first, last, problem in sorted(found)]
