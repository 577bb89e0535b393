"""The outbox: alerts as rows of our own schema, opened, merged and closed. The caller opens the transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import psycopg
from psycopg.types.json import Jsonb

from resources import sql_files
from wxyc_assets.monitoring.alerts.rules import Alert, Recovery

Redact: TypeAlias = Callable[[object], Any]
"""Turns a value into plain JSON values without secrets: the outbox is printed by ``wxyc alerts`` and sent to Sentry."""

MESSAGE_CHARACTERS = 2000

PATIENCE = timedelta(minutes=15)
"""How long after an announced try an alert whose cause has ended may still close by itself, before it is sent."""


@dataclass(frozen=True)
class RunRef:
    """The run that an alert is about: its id, when it ended by the clock of its host, and the storage id of its last event."""

    run_id: str
    ended_at: datetime
    event_id: int


def raise_alert(connection: psycopg.Connection, alert: Alert, run: RunRef, *, redact: Redact) -> None:
    """Open the alert, or count one more occurrence if it is open already."""
    of_run = {"run_id": run.run_id, "at": run.ended_at, "event_id": run.event_id}
    execute(connection, "raise_alert", **_columns(alert, redact), **of_run, part_of=alert.part_of)


def acknowledged(connection: psycopg.Connection, alert: Alert) -> Mapping[str, int]:
    """Return the largest number of failures that an operator acknowledged, by partition of this alert."""
    found = execute(
        connection, "select_acknowledged", fingerprint=alert.fingerprint, partitions=sorted(alert.partitions)
    )
    return {str(key): int(count) for key, count in found}


def recover(connection: psycopg.Connection, recovery: Recovery, run: RunRef) -> None:
    """Remove recovered partitions from the open alerts, and close the alerts that have none left."""
    parameters = vars(recovery) | {"partitions": sorted(recovery.partitions)}
    execute(connection, "recover_alerts", **parameters, at=run.ended_at, event_id=run.event_id)


def free_parts(connection: psycopg.Connection) -> None:
    """Let open alerts stand on their own if the alert that they were part of is closed."""
    execute(connection, "free_parts", patience=PATIENCE)


def sync_conditions(
    connection: psycopg.Connection,
    conditions: Iterable[Alert],
    *,
    assets: Sequence[str],
    at: datetime,
    redact: Redact,
) -> None:
    """Make the open alerts of the kinds late and stale equal to the conditions of these assets that hold at an instant.

    An alert about another asset stays as it is: its state is unknown.
    """
    holding = list(conditions)
    for condition in holding:
        execute(connection, "upsert_condition", **_columns(condition, redact), part_of=condition.part_of, at=at)
    fingerprints = [condition.fingerprint for condition in holding]
    execute(connection, "close_ended_conditions", holding=fingerprints, assets=list(assets), at=at)


def execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run one statement of this package."""
    return connection.execute(sql_files.load("wxyc_assets.monitoring.alerts", query), parameters)


def _columns(alert: Alert, redact: Redact) -> Mapping[str, object]:
    return {
        "fingerprint": alert.fingerprint,
        "asset": alert.asset,
        "source": alert.source,
        "kind": alert.kind,
        "severity": alert.level,
        "message": _without_nul(redact(alert.message))[:MESSAGE_CHARACTERS],
        "details": Jsonb(_without_nul(redact({**alert.details, "root": alert.error_class}))),
        "partitions": sorted(alert.partitions),
    }


def _without_nul(value: Any) -> Any:
    """Replace NUL characters, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, Mapping):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_without_nul(item) for item in value]
    return value
