"""Finds unbilled usage, estimates what it would cost, and keeps what an operator accepted. Source: DESIGN 13, money."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg.rows import dict_row

from resources import sql_files
from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.assets.rated_usage.unbilled.usage import UnbilledUsage
from wxyc_assets.runs.partitions import HOUR, closed_keys, floor_hour, hour_start

PACKAGE = "wxyc_assets.assets.rated_usage.unbilled"

OVERLAP = timedelta(hours=1)
"""An event can become visible this long after its ``created_at``: its transaction may have been open."""

TIMEOUT_MS = 600_000
"""The first search of a large station reads every event; only a stuck statement takes this long."""

MAX_ESTIMATES = 200
"""Hours that one search estimates; the next search goes on."""

EstimateHour = Callable[[datetime], Usd | None]
"""Returns by how much a rating of this hour would raise its bill; None if that cannot be computed now."""


@dataclass(frozen=True)
class SearchWindow:
    """Which hours a search is about.

    Attributes:
        first: the first hour that is rated.
        trailing_start: the first of the trailing hours, which the routine run rates again, so that they are not searched.
        next_hour: the first hour that has not begun.
    """

    first: datetime
    trailing_start: datetime
    next_hour: datetime


def search_window(now: datetime, trailing: int, billing_start: datetime) -> SearchWindow:
    """Return the window of a search at an instant."""
    closed = closed_keys(now, trailing, billing_start)
    return SearchWindow(billing_start, hour_start(closed[0]) if closed else billing_start, floor_hour(now) + HOUR)


def find_unbilled(connection: psycopg.Connection, window: SearchWindow) -> list[UnbilledUsage]:
    """Search for unbilled usage from where the last search ended, store it, and return all there is.

    One search at a time. The first one reads every event; the others read those stored since, and count those of their hours.
    """
    with connection.transaction():
        _execute(connection, "allow_time", timeout_ms=str(TIMEOUT_MS))
        ((looked_until, left_since),) = _execute(connection, "lock_watch").fetchall()
        stored_since = looked_until and looked_until - OVERLAP
        found = _execute(
            connection,
            "select_candidate_hours",
            first=window.first,
            trailing_start=window.trailing_start,
            stored_since=stored_since,
            left_since=left_since,
        )
        _execute(connection, "upsert_unseen_events", hours=[hour for (hour,) in found])
        _execute(
            connection,
            "upsert_misdated_events",
            first=window.first,
            stored_since=stored_since,
            next_hour=window.next_hour,
        )
        _execute(connection, "delete_billed_usage")
        _execute(connection, "update_watch", trailing_start=window.trailing_start)
        return stored_unbilled(connection)


def stored_unbilled(connection: psycopg.Connection) -> list[UnbilledUsage]:
    """Return the unbilled usage that the last search found, without a new search."""
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(sql_files.load(PACKAGE, "select_unbilled_usage"))
        return [
            UnbilledUsage(**{**row, "estimated_cost": row["estimated_cost"] and Usd.parse(row["estimated_cost"])})
            for row in cursor
        ]


def estimate_costs(
    connection: psycopg.Connection, unbilled: Sequence[UnbilledUsage], estimate: EstimateHour
) -> list[UnbilledUsage]:
    """Estimate the hours whose cost is not known, store it, and return all unbilled usage."""
    unknown = [each for each in unbilled if each.is_hour and each.estimated_cost is None]
    for each in unknown[:MAX_ESTIMATES]:
        cost = estimate(hour_start(each.bucket))
        if cost is not None:
            _execute(connection, "update_estimate", bucket=each.bucket, estimated_cost=str(cost))
    return stored_unbilled(connection) if unknown else list(unbilled)


def accept_unbilled(
    connection: psycopg.Connection, buckets: Sequence[str], *, reason: str, accepted_by: str
) -> list[str]:
    """Keep the unbilled usage of these buckets as accepted, and return the buckets that had some."""
    accepted = _execute(connection, "accept_usage", buckets=list(buckets), reason=reason, accepted_by=accepted_by)
    return [bucket for (bucket,) in accepted]


def _execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor:
    return connection.execute(sql_files.load(PACKAGE, query), parameters)
