"""The outbox: alerts as rows of our own schema, opened, folded and closed. Whoever changes it opens the transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

import psycopg
from psycopg.types.json import Jsonb

from resources import sql_files
from wxyc_assets.alerts.rules import Alert, Recovery

Redact: TypeAlias = Callable[[object], Any]
"""Returns what JSON can say of a value, without secrets: what is kept here is shown to people and sent to Sentry."""

MESSAGE_CHARACTERS = 2000


def raise_alert(connection: psycopg.Connection, alert: Alert, *, run_id: str, at: datetime, redact: Redact) -> None:
    """Open the alert, or count it once more where it is open already."""
    part_of = {"run_id": run_id, "part_of": alert.part_of}
    execute(connection, "raise_alert", **_columns(alert, redact), **part_of, at=at)


def recover(connection: psycopg.Connection, recovery: Recovery, *, at: datetime) -> None:
    """Take recovered partitions off the open alerts, and close those that have none left."""
    execute(connection, "recover_alerts", **(vars(recovery) | {"partitions": sorted(recovery.partitions)}), at=at)


def hold(connection: psycopg.Connection, conditions: Iterable[Alert], *, at: datetime, redact: Redact) -> None:
    """Make the open alerts of the watch's kinds equal to the conditions that hold at an instant."""
    holding = list(conditions)
    for condition in holding:
        execute(connection, "hold_alert", **_columns(condition, redact), at=at)
    execute(connection, "release_alerts", holding=[condition.fingerprint for condition in holding], at=at)


def execute(connection: psycopg.Connection, query: str, /, **parameters: object) -> psycopg.Cursor[tuple[Any, ...]]:
    """Run one statement of this room."""
    return connection.execute(sql_files.load("wxyc_assets.alerts", query), parameters)


def _columns(alert: Alert, redact: Redact) -> Mapping[str, object]:
    return {
        "fingerprint": alert.fingerprint,
        "asset": alert.asset,
        "source": alert.source,
        "kind": alert.kind,
        "severity": alert.level,
        "message": _kept(redact(alert.message))[:MESSAGE_CHARACTERS],
        "details": Jsonb(_kept(redact({**alert.details, "root": alert.root}))),
        "partitions": sorted(alert.partitions),
    }


def _kept(value: Any) -> Any:
    """Return what PostgreSQL can keep: it has no NUL."""
    if isinstance(value, str):
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    if isinstance(value, Mapping):
        return {_kept(key): _kept(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_kept(item) for item in value]
    return value
