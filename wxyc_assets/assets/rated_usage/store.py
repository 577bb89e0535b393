"""Rates one hour in one transaction, and reads which hours are rated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets import ledger
from wxyc_assets.price_book.book import PriceBook
from wxyc_assets.rated_usage.counters import Rated
from wxyc_assets.rated_usage.windows import HOUR, key
from wxyc_assets.run_origin import RunOrigin

ASSET = "rated_usage"
PACKAGE = "wxyc_assets.rated_usage"

STATEMENT_TIMEOUT_MS = 600_000
"""An hour of millions of events takes seconds; this long only a stuck one does."""


@dataclass(frozen=True)
class Cause:
    """Why rows change: which run, on whose behalf, with which prices."""

    run_id: str
    origin: RunOrigin
    prices: PriceBook


def parameters(hour: datetime, cause: Cause) -> dict[str, Any]:
    """Return what ``rate_hour`` takes."""
    return {
        **cause.prices.sql_parameters(),
        "some_rate_is_free": some_rate_is_free(cause.prices),
        "window_start": hour,
        "window_end": hour + HOUR,
        "run_id": cause.run_id,
        "origin": cause.origin,
        "price_digest": cause.prices.digest,
    }


def some_rate_is_free(prices: PriceBook) -> bool:
    """Tell whether any model has rates of 0 beside others: only there can work go uncharged."""
    rates = ((p.rates.prompt, p.rates.cached, p.rates.completion) for p in (*prices.priced, *prices.derived))
    return any(any(rate == 0 for rate in triple) and any(triple) for triple in rates)


def open_session(postgres: Postgres) -> psycopg.Connection:
    """Return a session to rate on, which the caller closes.

    Its transactions see one state of the database. They fail, having changed nothing, with psycopg.errors.SerializationFailure
    when somebody else changed a row that they are about to: what is kept as *before* is what was replaced.
    """
    connection = replace(postgres, statement_timeout_ms=STATEMENT_TIMEOUT_MS).open()
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


def rate_hour(connection: psycopg.Connection, hour: datetime, cause: Cause, *, keep: bool) -> Rated:
    """Make the rows of one hour right, and tally it; ``keep=False`` does the very same and rolls it back: the plan.

    One statement in one transaction, on a session of ``open_session``.
    """
    with connection.transaction(force_rollback=not keep):
        execute(connection, "wait_for_rows")
        execute(connection, "prefer_hashing")
        with connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(sql_files.load(PACKAGE, "rate_hour"), parameters(hour, cause))
            rated = Rated.of(cursor.fetchall()[0])
        ledger.write_tally(
            connection,
            asset=ASSET,
            partition_key=key(hour),
            run_id=cause.run_id,
            counters={**rated.stored(), "price_digest": cause.prices.digest},
            complete=True,
        )
    return rated


def rated_hours(connection: psycopg.Connection, partition_keys: Sequence[str]) -> set[str]:
    """Return those of the hours that some run has rated."""
    rows = execute(connection, "select_rated_hours", partition_keys=list(partition_keys))
    return {str(row[0]) for row in rows}


def execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run one statement of this room."""
    return connection.execute(sql_files.load(PACKAGE, query), parameters)
