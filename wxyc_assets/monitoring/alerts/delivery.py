"""Delivers alerts from the outbox to Sentry: each alert once, and its recovery once."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg
from psycopg.rows import class_row

from resources import sql_files
from resources.sentry_sender import SentryEvent, SentrySendError
from wxyc_assets.assets.registry import tool_of
from wxyc_assets.monitoring.alerts.outbox import execute
from wxyc_assets.monitoring.alerts.story import Story, tell

CLOSED_WITHIN = timedelta(days=7)
"""An alert that closed longer ago is not delivered any more."""

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=15)
DELIVERY_LIMIT_S = 20.0
"""How long one delivery may go on: a sensor tick has a minute."""

CLAIMED_FOR = timedelta(seconds=30)
"""How long an alert is claimed for its delivery. If the process is killed meanwhile, the next delivery is due then."""

MONITOR = "wxyc-assets-alerts"
EVERY_MINUTE = {"type": "interval", "value": 1, "unit": "minute"}
MARGIN_MINUTES = 5
"""Sentry reports the sensor as missing if no check-in has come for this long."""

SHOWN_PARTITIONS = 20


class EventSender(Protocol):
    """Sends events to Sentry."""

    @property
    def address(self) -> str:
        """Which Sentry and project receives."""

    def send(self, event: SentryEvent) -> None:
        """Return when Sentry has the event. Raises SentrySendError."""

    def check_in(self, monitor: str, schedule: Mapping[str, Any], *, margin_minutes: int) -> None:
        """Return when Sentry's cron monitor has the check-in. Raises SentrySendError."""


@dataclass(frozen=True)
class DueAlert:
    """An alert of which Sentry lacks the event, its greater severity, or its recovery."""

    alert_id: int
    news_id: uuid.UUID
    fingerprint: str
    asset: str
    source: str
    kind: str
    severity: str
    message: str
    details: Mapping[str, Any]
    partitions: Sequence[str]
    run_id: str | None
    occurrences: int
    first_seen_at: datetime
    last_seen_at: datetime
    delivered_at: datetime | None
    closed_at: datetime | None
    attempts: int
    parts: Sequence[str]

    @property
    def recovered(self) -> bool:
        """Whether the event to send is the recovery: Sentry has the alert itself."""
        return self.delivered_at is not None and self.closed_at is not None

    def event(self, ui_url: str | None = None) -> SentryEvent:
        """Return the event to send; ``ui_url``: where Dagster's UI is.

        Each piece of news has one event id, whatever happens between two tries, and Sentry stores one event of an id: the alert
        as a warning, the alert as an error, and its recovery.
        """
        state = "recovered" if self.recovered else "raised"
        return SentryEvent(
            event_id=uuid.uuid5(self.news_id, state if self.recovered else f"{state} {self.severity}").hex,
            at=(self.closed_at if self.recovered else None) or self.last_seen_at,
            level="info" if self.recovered else "error" if self.severity == "error" else "warning",
            message=f"{self._how_closed}: {self.message}" if self.recovered else "\n".join(tell(self, ui_url).lines()),
            fingerprint=["wxyc_assets", *self.fingerprint.split("/")],
            tool=tool_of(self.asset),
            run_id=self.run_id,
            tags={"asset": self.asset, "source": self.source, "kind": self.kind, "alert": state},
            extra=self._extra(tell(self, ui_url)),
            exception=self._exception(),
        )

    @property
    def _how_closed(self) -> str:
        return "closed by hand" if self.details.get("closed_by") else "recovered"

    def _extra(self, story: Story) -> dict[str, Any]:
        more = len(self.partitions) - SHOWN_PARTITIONS
        shown = [*self.partitions[:SHOWN_PARTITIONS], *([f"and {more} more"] if more > 0 else [])]
        return {
            **self.details,
            "alert_id": self.alert_id,
            "run_id": self.run_id,
            "occurrences": self.occurrences,
            "first_seen_at": self.first_seen_at,
            "partitions": shown,
            "also": list(self.parts),
            "likely_cause": story.likely_cause,
            "next_try": story.next_try,
            "next_command": story.next_command,
            "runbook": story.runbook,
            "run": story.run,
        }

    def _exception(self) -> tuple[str, str] | None:
        error_class = str(self.details.get("root") or "")
        return (error_class, self.message) if error_class and not self.recovered else None


def deliver(
    connection: psycopg.Connection,
    sender: EventSender,
    *,
    ui_url: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[int, str]:
    """Send the due events, oldest first; return how many Sentry received, and the problem that stopped the delivery, if any.

    An alert is claimed, sent without any lock in the database, and marked delivered after Sentry acknowledges it. If the
    process is killed in between, a later delivery sends the event again under the same id. If Sentry cannot be reached, the
    remaining alerts wait for the next tick; if it says for how long, they all wait for that long.
    """
    delivered, after = 0, 0
    deadline = clock() + DELIVERY_LIMIT_S
    while clock() < deadline:
        due = _claim_next(connection, sender.address, after)
        if due is None:
            return delivered, _block(connection, sender.address)
        problem = _send(connection, sender, due, ui_url)
        if problem is None:
            delivered += 1
        elif problem.refused:
            after = due.alert_id
        else:
            return delivered, str(problem)
    return delivered, ""


def send_check_in(sender: EventSender) -> str:
    """Send one check-in for the monitor of the sensor `alerts`, and return the monitor's name. Raises SentrySendError."""
    sender.check_in(MONITOR, EVERY_MINUTE, margin_minutes=MARGIN_MINUTES)
    return MONITOR


def check_in(connection: psycopg.Connection, sender: EventSender) -> str:
    """Tell Sentry's cron monitor that the sensor runs, once a minute at most; return the problem, empty if there is none."""
    if not execute(connection, "claim_check_in", sentry=sender.address).fetchone():
        return ""
    try:
        send_check_in(sender)
    except SentrySendError as error:
        _respect_block(connection, sender.address, error)
        return f"the check-in at Sentry's cron monitor: {error}"
    return ""


def _send(
    connection: psycopg.Connection, sender: EventSender, due: DueAlert, ui_url: str | None
) -> SentrySendError | None:
    """Send one claimed alert and record the outcome; return the problem if Sentry did not accept it."""
    try:
        sender.send(due.event(ui_url))
    except SentrySendError as error:
        _respect_block(connection, sender.address, error)
        retry_after = _retry_after(due.attempts, error.retry_after_s)
        execute(connection, "mark_undelivered", alert_id=due.alert_id, problem=str(error), retry_after=retry_after)
        return error
    except BaseException:
        execute(connection, "release_claim", alert_id=due.alert_id)
        raise
    execute(connection, "mark_delivered", alert_id=due.alert_id, recovered=due.recovered, severity=due.severity)
    return None


def _respect_block(connection: psycopg.Connection, address: str, error: SentrySendError) -> None:
    """Send this Sentry nothing for as long as it asks."""
    if error.retry_after_s is not None and not error.refused:
        blocked_for = timedelta(seconds=error.retry_after_s)
        execute(connection, "block_sentry", sentry=address, blocked_for=blocked_for)


def _block(connection: psycopg.Connection, address: str) -> str:
    """Return for how long Sentry asks to receive nothing, in words; empty if it does not."""
    row = execute(connection, "select_block", sentry=address).fetchone()
    return f"Sentry asks to receive nothing for another {row[0]} s" if row else ""


def _claim_next(connection: psycopg.Connection, address: str, after: int) -> DueAlert | None:
    with connection.cursor(row_factory=class_row(DueAlert)) as cursor:
        cursor.execute(
            sql_files.load("wxyc_assets.monitoring.alerts", "claim_due_alert"),
            {"after": after, "sentry": address, "closed_within": CLOSED_WITHIN, "claimed_for": CLAIMED_FOR},
        )
        return cursor.fetchone()


def _retry_after(attempts: int, requested_s: float | None) -> timedelta:
    """Return how long to wait: as long as Sentry requests, or else 30 s, doubled with each attempt; at most 15 minutes."""
    if requested_s is not None:
        return min(timedelta(seconds=requested_s), LONGEST_RETRY)
    return min(FIRST_RETRY * (1 << min(attempts, 10)), LONGEST_RETRY)
