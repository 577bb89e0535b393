"""Rates one hour in one transaction, and reads which hours are rated."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.rated_usage.billing_tables import BillingTables, rating_statement
from wxyc_assets.assets.rated_usage.counters import RatingResult
from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.runs import ledger
from wxyc_assets.runs.bisecting_write import LOCK_CONFLICTS
from wxyc_assets.runs.origin import RunOrigin
from wxyc_assets.runs.partitions import HOUR, hour_key

ASSET = "rated_usage"
PACKAGE = "wxyc_assets.assets.rated_usage"

STATEMENT_TIMEOUT_MS = 600_000
"""An hour with millions of events takes seconds; only a stuck statement takes this long."""


@dataclass(frozen=True)
class Cause:
    """Why rows change: the run, its origin and its prices."""

    run_id: str
    origin: RunOrigin
    prices: PriceBook


def parameters(hour: datetime, cause: Cause) -> dict[str, Any]:
    """Return the parameters of ``rate_hour``."""
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
    """Return whether any model has both rates of 0 and rates above 0: only its events can have tokens and cost nothing."""
    rates = ((p.rates.prompt, p.rates.cached, p.rates.completion) for p in (*prices.priced, *prices.derived))
    return any(any(rate == 0 for rate in triple) and any(triple) for triple in rates)


def open_session(postgres: Postgres) -> psycopg.Connection:
    """Return a session for rating; the caller closes it.

    Each of its transactions sees one snapshot of the database. If another session has changed a row that the transaction
    changes, it fails with psycopg.errors.SerializationFailure and changes nothing: the ledger's *before* is what was replaced.
    """
    connection = replace(postgres, statement_timeout_ms=STATEMENT_TIMEOUT_MS).open()
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection


def rate_hour(connection: psycopg.Connection, hour: datetime, cause: Cause, *, commit: bool) -> RatingResult:
    """Correct the rows of one hour and tally it; ``commit=False``, a plan, does the same and rolls it back.

    It is one statement in one transaction, on a session of ``open_session``.
    """
    with connection.transaction(force_rollback=not commit):
        execute(connection, "wait_for_rows")
        execute(connection, "prefer_hashing")
        with connection.cursor(row_factory=dict_row) as cursor:
            cursor.execute(rating_statement(BillingTables.read(connection)), parameters(hour, cause))
            rated = RatingResult.from_row(cursor.fetchall()[0])
        ledger.write_tally(
            connection,
            asset=ASSET,
            partition_key=hour_key(hour),
            run_id=cause.run_id,
            counters={**rated.stored(), "price_digest": cause.prices.digest},
            complete=True,
        )
        if rated.counters.changes:
            moved = str(rated.cost_moved)
            execute(connection, "upsert_unpushed_hour", window_start=hour, run_id=cause.run_id, moved=moved)
    return rated


def cost_of(postgres: Postgres, hour: datetime, cause: Cause) -> Usd | None:
    """Return by how much a rating of the hour would raise its bill; None if that cannot be computed now. Changes nothing.

    Raises psycopg.OperationalError if the database is gone.
    """
    connection = open_session(postgres)
    try:
        return rate_hour(connection, hour, cause, commit=False).cost_moved
    except psycopg.OperationalError as error:
        if not isinstance(error, LOCK_CONFLICTS):
            raise
        return None
    except psycopg.Error:
        return None
    finally:
        connection.close()


def keep_price_book(connection: psycopg.Connection, book: PriceBook, run_id: str) -> None:
    """Keep the file of a book under its digest, so that an old hour can be rated with it again."""
    if book.content:
        execute(connection, "insert_price_book", digest=book.digest, content=book.content, run_id=run_id)


def price_books(connection: psycopg.Connection, digest: str) -> list[tuple[str, bytes]]:
    """Return digest and file of the stored books whose digest begins so."""
    return [(str(full), bytes(content)) for full, content in execute(connection, "select_price_books", digest=digest)]


def price_digests(connection: psycopg.Connection) -> list[str]:
    """Return the digests of all stored books, the latest first."""
    return [str(row[0]) for row in execute(connection, "select_price_digests")]


def price_book_rows(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """Return digest, size, first use and number of hours of all stored books, the latest first."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql_files.load(PACKAGE, "select_price_digests")).fetchall()


def price_digest_of(connection: psycopg.Connection, hour: datetime) -> str | None:
    """Return the digest of the prices of an hour's last rating; None: it was never rated."""
    return next((str(row[0]) for row in execute(connection, "select_price_digest_of_hour", hour=hour)), None)


def rated_hours(connection: psycopg.Connection, partition_keys: Sequence[str]) -> set[str]:
    """Return the hours of ``partition_keys`` that a run has rated."""
    rows = execute(connection, "select_rated_hours", partition_keys=list(partition_keys))
    return {str(row[0]) for row in rows}


def execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    """Execute a query of this package."""
    return connection.execute(sql_files.load(PACKAGE, query), parameters)
