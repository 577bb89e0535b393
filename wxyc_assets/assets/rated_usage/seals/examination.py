"""What an hour is now: digests of its rows and events, and what rating it again would change. Changes nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from resources import sql_files
from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.billing_tables import BillingTables, digest_statement
from wxyc_assets.assets.rated_usage.counters import RatingResult
from wxyc_assets.assets.rated_usage.pricing import load_stored
from wxyc_assets.assets.rated_usage.seals.chain import PACKAGE
from wxyc_assets.assets.rated_usage.seals.receipt import SealedState
from wxyc_assets.runs.partitions import HOUR

RUN_ID = "examination"
"""The run that the rating names as its cause. It is rolled back, so that no ledger has it."""

SHOWN = 3
"""Rows that are named for each hour."""


@dataclass
class PriceBooks:
    """The stored price books that examinations have loaded, by digest. Threads may share it."""

    loaded: dict[str, PriceBook] = field(default_factory=dict)

    def load(self, connection: psycopg.Connection, digest: str) -> PriceBook:
        """Return the prices with this digest. Raises NoPriceBookError, and PriceFileError if they are damaged."""
        if digest not in self.loaded:
            self.loaded[digest] = load_stored(connection, digest)
        return self.loaded[digest]


@dataclass(frozen=True)
class Examination:
    """An hour as it is now.

    ``state``: what a seal would say; ``rated``: what rating it again with its own prices would change; ``differences``: the
    first rows of those changes, in words.
    """

    state: SealedState
    rated: RatingResult
    differences: tuple[str, ...]


def examine(
    connection: psycopg.Connection, hour: datetime, books: PriceBooks, price_digest: str | None = None
) -> Examination | None:
    """Return what the hour is, read in the caller's transaction; None if no run ever rated it.

    ``price_digest``: the prices to rate it with; by default those of its last rating. Raises NoPriceBookError or PriceFileError
    if they are not stored; psycopg.Error.
    """
    store.execute(connection, "wait_for_rows")
    _execute(connection, "pin_text_format")
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            digest_statement(BillingTables.read(connection)), {"window_start": hour, "window_end": hour + HOUR}
        )
        (found,) = cursor.fetchall()
    if found["price_digest"] is None:
        return None
    book = books.load(connection, price_digest or found["price_digest"])
    rated, differences = _rate_again(connection, hour, book)
    if rated.counters.changes:
        found |= {"accepted_rows": rated.counters.changes, "accepted_cost": str(rated.cost_moved)}
    return Examination(SealedState(**found), rated, differences)


def rows_unlike_ledger(connection: psycopg.Connection, hour: datetime) -> list[str]:
    """Return the first rows whose id or time of rating is not that of their last change in the ledger, in words."""
    found = _execute(connection, "select_rows_unlike_ledger", window_start=hour, window_end=hour + HOUR, shown=SHOWN)
    return [f"{_named(*row)}: not the id or the time of rating that the ledger has" for row in found]


def _rate_again(
    connection: psycopg.Connection, hour: datetime, book: PriceBook
) -> tuple[RatingResult, tuple[str, ...]]:
    with connection.transaction(force_rollback=True):
        rated = store.rate_hour(connection, hour, store.Cause(RUN_ID, "explicit", book), commit=True)
        if not rated.counters.changes:
            return rated, ()
        found = _execute(connection, "select_differences", window_start=hour, run_id=RUN_ID, shown=SHOWN)
        return rated, tuple(_difference(*row) for row in found)


def _difference(kind: str, auth_id: str, resource_id: str, model_id: str, before: str | None, after: str | None) -> str:
    named = _named(auth_id, resource_id, model_id)
    match kind:
        case "insert":
            return f"{named}: not billed, its events cost {after} USD"
        case "delete":
            return f"{named}: billed {before} USD without events"
        case _ if before == after:
            return f"{named}: billed {before} USD for other tokens, rates or bounds than its events have"
        case _:
            return f"{named}: billed {before} USD, its events cost {after} USD"


def _named(auth_id: str, resource_id: str, model_id: str) -> str:
    return f"{model_id} of {auth_id} on {resource_id}"


def _execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql_files.load(PACKAGE, query), parameters)
