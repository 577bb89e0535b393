"""Seals hours in order, and opens sealed hours again."""

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg

from resources.postgres import Postgres
from resources.price_file import PriceFileError
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.pricing import NoPriceBookError
from wxyc_assets.assets.rated_usage.seals import chain
from wxyc_assets.assets.rated_usage.seals.examination import Examination, PriceBooks, examine
from wxyc_assets.assets.rated_usage.seals.receipt import Entry
from wxyc_assets.assets.rated_usage.unbilled.search import SearchWindow, find_unbilled
from wxyc_assets.assets.rated_usage.unbilled.usage import hours_of
from wxyc_assets.runs.advisory_locks import UNIT_WAIT_S, Locks, unit
from wxyc_assets.runs.bisecting_write import retry_on_conflict
from wxyc_assets.runs.partitions import HOUR, hour_key, rfc3339

CHAIN = unit(store.ASSET, "seals")
"""The lock of the chain: one process at a time appends to it."""


class SealError(Exception):
    """An hour cannot be sealed or opened; the message says why, and what to do."""


@dataclass(frozen=True)
class SealRequest:
    """What to seal.

    Attributes:
        until: the hour before which hours are sealed.
        search: the hours that are searched for unbilled usage; ``until`` is not after its trailing hours.
        made_by: the operator, or the run of the schedule.
        dry_run: whether only to say what would be sealed.
    """

    until: datetime
    search: SearchWindow
    made_by: str
    dry_run: bool = False


def hours_to_seal(connection: psycopg.Connection, request: SealRequest) -> Sequence[datetime]:
    """Return the hours to seal, ascending. Raises SealError if the window reaches into the trailing hours."""
    if request.until > request.search.trailing_start:
        raise SealError(
            f"the hours from {rfc3339(request.search.trailing_start)} on are still rated every hour, so that they cannot be "
            f"sealed: name an earlier --until"
        )
    return chain.unsealed_hours(connection, request.until)


def seal(postgres: Postgres, hours: Iterable[datetime], request: SealRequest) -> Iterator[Entry]:
    """Seal hours one after the other, each in a transaction of its own, and yield each entry.

    Raises SealError at the first hour that cannot be sealed; the hours before it stay sealed. psycopg.Error.
    """
    with postgres.connect() as connection:
        unbilled = set(hours_of(find_unbilled(connection, request.search)))
    with closing(store.open_session(postgres)) as connection, _chain_locked(connection) as locks:
        books = PriceBooks()
        for hour in hours:
            if hour_key(hour) in unbilled:
                raise SealError(
                    f"{hour_key(hour)} has events that no rating has seen: `wxyc rated unbilled` lists them; bill or accept "
                    "them first"
                )
            with hour_locked(locks, hour):
                yield retry_on_conflict(
                    lambda _attempt, hour=hour: _seal_hour(connection, hour, books, request),  # type: ignore[misc]
                    sleep=time.sleep,
                )


def reopen(
    postgres: Postgres, hours: Sequence[datetime], *, made_by: str, reason: str, dry_run: bool = False
) -> list[Entry]:
    """Open sealed hours again, all or none, so that runs can rate them. Raises SealError if one is not sealed."""
    with (
        closing(store.open_session(postgres)) as connection,
        _chain_locked(connection) as locks,
        ExitStack() as stack,
    ):
        for hour in hours:
            stack.enter_context(hour_locked(locks, hour))
        stack.enter_context(connection.transaction(force_rollback=dry_run))
        for hour in hours:
            if not chain.is_sealed(connection, hour):
                raise SealError(f"{hour_key(hour)} is not sealed: no hour was opened")
        return [
            chain.append(
                connection,
                Entry(hour, "reopen", made_by, chain.now(connection), chain.head(connection), reason=reason),
            )
            for hour in hours
        ]


def _seal_hour(connection: psycopg.Connection, hour: datetime, books: PriceBooks, request: SealRequest) -> Entry:
    with connection.transaction(force_rollback=request.dry_run):
        try:
            found = examine(connection, hour, books)
        except (NoPriceBookError, PriceFileError) as error:
            raise SealError(f"{hour_key(hour)}: {error}") from error
        _require_sealable(connection, hour, found)
        assert found is not None  # noqa: S101 - for the type checker: required above
        made_at, previous = chain.now(connection), chain.head(connection)
        return chain.append(connection, Entry(hour, "seal", request.made_by, made_at, previous, found.state))


def _require_sealable(connection: psycopg.Connection, hour: datetime, found: Examination | None) -> None:
    window = f"--since {rfc3339(hour)} --until {rfc3339(hour + HOUR)}"
    if found is None:
        raise SealError(f"{hour_key(hour)} was never rated: `wxyc run rated_usage {window}` rates it")
    if found.differences and not chain.is_accepted(connection, hour):
        raise SealError(
            f"{hour_key(hour)} is not what its events cost: {'; '.join(found.differences)}. "
            f"`wxyc run rated_usage {window} --plan` shows what rating it would change"
        )


@contextmanager
def _chain_locked(connection: psycopg.Connection) -> Iterator[Locks]:
    locks = Locks(connection)
    if refusals := locks.take([CHAIN], UNIT_WAIT_S):
        raise SealError(f"hours are being sealed by {refusals[0].holder}: try again when that is done")
    yield locks


@contextmanager
def hour_locked(locks: Locks, hour: datetime) -> Iterator[None]:
    """Hold the lock of an hour, so that no run rates it meanwhile; raises SealError if a run still holds it after a minute."""
    name = unit(store.ASSET, hour_key(hour))
    if refusals := locks.take([name], UNIT_WAIT_S):
        raise SealError(f"{refusals[0]}: try again when it is done")
    try:
        yield
    finally:
        if not locks.connection.closed:
            locks.release(name)
