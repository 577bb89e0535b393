"""Reads and closes alerts for the command line: the open ones, those closed recently, and whether the sensor runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import class_row

from resources import sql_files
from wxyc_assets.monitoring.alerts.rules import is_money
from wxyc_assets.monitoring.alerts.story import Story, tell

OPEN_ONLY = timedelta()

HEARTBEAT_TIMEOUT_S = 300.0
"""A sensor without a tick for this long is off, or its daemon does not run; it ticks every half minute."""


@dataclass(frozen=True)
class AlertRow:
    """One alert of the outbox. ``delivered_at``: when Sentry received it, or the alert that it is part of."""

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
    details: Mapping[str, Any]

    @property
    def numbers(self) -> Mapping[str, Any]:
        """What the check was decided on; empty for other alerts."""
        return self.details.get("numbers") or {}

    @property
    def is_open(self) -> bool:
        """Whether the alert has not recovered and was not closed by hand."""
        return self.closed_at is None

    @property
    def needs_acknowledgement(self) -> bool:
        """Whether only an operator can close it."""
        return self.is_open and is_money(self.asset, self.kind, self.source)

    def story(self, ui_url: str | None = None) -> Story:
        """Return what the alert says; ``ui_url``: where Dagster's UI is."""
        return tell(self, ui_url)


def select_alerts(connection: psycopg.Connection, closed_within: timedelta = OPEN_ONLY) -> list[AlertRow]:
    """Return the open alerts, most severe and then oldest first, followed by those that closed within that time."""
    with connection.cursor(row_factory=class_row(AlertRow)) as cursor:
        cursor.execute(
            sql_files.load("wxyc_assets.monitoring.alerts", "select_alerts"), {"closed_within": closed_within}
        )
        return cursor.fetchall()


def close_alerts(connection: psycopg.Connection, alert_ids: Sequence[int]) -> set[int]:
    """Close open alerts that cannot recover by themselves, and the alerts that are part of them; return their ids."""
    query = sql_files.load("wxyc_assets.monitoring.alerts", "close_alerts")
    return {alert_id for (alert_id,) in connection.execute(query, {"alert_ids": list(alert_ids)})}


def acknowledge_alerts(
    connection: psycopg.Connection, alert_ids: Sequence[int], *, reason: str, acknowledged_by: str
) -> set[int]:
    """Keep what an operator did about open alerts, and close them; return their ids. The caller opens the transaction."""
    query = sql_files.load("wxyc_assets.monitoring.alerts", "acknowledge_alerts")
    said = {"alert_ids": list(alert_ids), "reason": reason, "acknowledged_by": acknowledged_by}
    kept = {alert_id for (alert_id,) in connection.execute(query, said)}
    close_alerts(connection, sorted(kept))
    return kept


def on_money(connection: psycopg.Connection, alert_ids: Sequence[int]) -> list[int]:
    """Return which of these open alerts are about money, and can only be acknowledged."""
    found = connection.execute(
        sql_files.load("wxyc_assets.monitoring.alerts", "select_sources"), {"alert_ids": list(alert_ids)}
    )
    return [alert_id for alert_id, asset, kind, source in found if is_money(asset, kind, source)]


@dataclass(frozen=True)
class SensorHeartbeat:
    """The last tick of the sensor ``alerts``.

    ``ticked_at`` and ``age_s``: when it was and how long ago; None: never. ``problem``: what prevented a part of
    that tick, such as a delivery to Sentry; None if nothing did.
    """

    ticked_at: datetime | None
    age_s: float | None
    problem: str | None

    @property
    def is_alive(self) -> bool:
        """Whether the sensor runs."""
        return self.age_s is not None and self.age_s < HEARTBEAT_TIMEOUT_S


def select_heartbeat(connection: psycopg.Connection) -> SensorHeartbeat:
    """Return the last tick of the sensor."""
    (row,) = connection.execute(sql_files.load("wxyc_assets.monitoring.alerts", "select_heartbeat")).fetchall()
    return SensorHeartbeat(*row)
