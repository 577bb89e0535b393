"""The outbox as a person has it: what is open, what has recovered lately, whether Sentry knows of it; and a way to close."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row

from resources import sql_files

NOTHING = timedelta()

ASLEEP_S = 300.0
"""A sensor that has not looked for so long is off, or its daemon does not run."""


@dataclass(frozen=True)
class Listed:
    """An alert as it stands. ``delivered_at``: when Sentry was told of it, or of the one that it is part of."""

    alert_id: int
    part_of: int | None
    asset: str
    source: str
    kind: str
    severity: str
    message: str
    partitions: Sequence[str]
    occurrences: int
    run_id: str | None
    first_seen_at: datetime
    last_seen_at: datetime
    closed_at: datetime | None
    delivered_at: datetime | None
    attempts: int
    delivery_problem: str | None
    numbers: Mapping[str, Any]

    @property
    def is_open(self) -> bool:
        """Whether it has not recovered."""
        return self.closed_at is None


def listed(connection: psycopg.Connection, closed_within: timedelta = NOTHING) -> list[Listed]:
    """Return the open alerts, the worst and oldest first, then those that recovered within that time."""
    with connection.cursor(row_factory=class_row(Listed)) as cursor:
        cursor.execute(sql_files.load("wxyc_assets.alerts", "select_alerts"), {"closed_within": closed_within})
        return cursor.fetchall()


def close(connection: psycopg.Connection, alert_ids: Sequence[int]) -> set[int]:
    """Close open alerts that cannot recover by themselves, with what is part of them; return which were closed."""
    query = sql_files.load("wxyc_assets.alerts", "close_alerts")
    return {alert_id for (alert_id,) in connection.execute(query, {"alert_ids": list(alert_ids)})}


@dataclass(frozen=True)
class Watch:
    """When the sensor last looked; None: never. ``problem``: what was in the way of telling Sentry, None if nothing was."""

    looked_at: datetime | None
    age_s: float | None
    problem: str | None

    @property
    def is_on(self) -> bool:
        """Whether the sensor looks: it does so every half minute."""
        return self.age_s is not None and self.age_s < ASLEEP_S


def watch(connection: psycopg.Connection) -> Watch:
    """Return whether anybody keeps the alerts."""
    (row,) = connection.execute(sql_files.load("wxyc_assets.alerts", "select_watch")).fetchall()
    return Watch(*row)
