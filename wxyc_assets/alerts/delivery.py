"""Tells Sentry of what is in the outbox: of each alert once, and once that it has recovered."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import psycopg
from psycopg.rows import class_row

from resources import sql_files
from resources.sentry_post import SentryEvent, SentryPostError
from wxyc_assets.alerts.outbox import execute

NEWS_FOR = timedelta(days=7)
"""How long after it closed an alert is still told that could not be told before."""

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=15)
PATIENCE_S = 20.0
"""How long one round may take: a sensor has a minute."""

SHOWN_PARTITIONS = 20
NAMESPACE = uuid.UUID("5d0b7c0e-3b1f-4f0c-9a52-6c1d8a4f7e21")


class Post(Protocol):
    """Takes events to Sentry."""

    def send(self, event: SentryEvent) -> None:
        """Return when it has arrived. Raises SentryPostError."""


@dataclass(frozen=True)
class Due:
    """An alert that Sentry is to be told of: of itself, or, if it was told that before, of its recovery."""

    alert_id: int
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
        """Whether the news is that it has recovered."""
        return self.delivered_at is not None

    @property
    def _word(self) -> str:
        """What is said before its message when it is closed."""
        return "closed by a person" if self.details.get("closed_by") else "recovered"

    def event(self) -> SentryEvent:
        """Return what Sentry is told. The same news has the same id each time, so that Sentry keeps one of it."""
        news = "recovered" if self.recovered else "raised"
        return SentryEvent(
            event_id=uuid.uuid5(NAMESPACE, f"{self.alert_id} {self.first_seen_at.isoformat()} {news}").hex,
            at=(self.closed_at if self.recovered else None) or self.last_seen_at,
            level="info" if self.recovered else "error" if self.severity == "error" else "warning",
            message=f"{self._word}: {self.message}" if self.recovered else self.message,
            fingerprint=["wxyc_assets", *self.fingerprint.split("/")],
            tags={"asset": self.asset, "source": self.source, "kind": self.kind, "alert": news},
            extra=self._extra(),
            exception=self._exception(),
        )

    def _extra(self) -> dict[str, Any]:
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
        }

    def _exception(self) -> tuple[str, str] | None:
        root = str(self.details.get("root") or "")
        return (root, self.message) if root and not self.recovered else None


def deliver(
    connection: psycopg.Connection, post: Post, *, clock: Callable[[], float] = time.monotonic
) -> tuple[int, str]:
    """Tell Sentry what it has not been told, the oldest first; return how much that was, and what is in the way.

    An alert is marked in the transaction that holds its row, after Sentry has said that it has the event: whoever is killed in
    between has it told again, under the same id. Where Sentry cannot be reached, the others wait for the next round, too.
    """
    told, after = 0, 0
    until = clock() + PATIENCE_S
    while clock() < until:
        with connection.transaction():
            due = _next(connection, after)
            if due is None:
                return told, ""
            try:
                post.send(due.event())
            except SentryPostError as error:
                execute(
                    connection,
                    "mark_undelivered",
                    alert_id=due.alert_id,
                    problem=str(error),
                    retry_after=_retry_after(due.attempts, error.retry_after_s),
                )
                problem = error
            else:
                execute(connection, "mark_delivered", alert_id=due.alert_id, recovered=due.recovered)
                told += 1
                continue
        if not problem.refused:
            return told, str(problem)
        after = due.alert_id
    return told, ""


def _next(connection: psycopg.Connection, after: int) -> Due | None:
    with connection.cursor(row_factory=class_row(Due)) as cursor:
        cursor.execute(sql_files.load("wxyc_assets.alerts", "select_due"), {"after": after, "news_for": NEWS_FOR})
        return cursor.fetchone()


def _retry_after(attempts: int, asked_s: float | None) -> timedelta:
    """Return how long to wait: as Sentry asks, else half a minute and twice as long each time, a quarter of an hour at most."""
    if asked_s is not None:
        return min(timedelta(seconds=asked_s), LONGEST_RETRY)
    return min(FIRST_RETRY * (1 << min(attempts, 10)), LONGEST_RETRY)
