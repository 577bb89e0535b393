"""The chain of seals in our schema: entries are appended and read, never changed."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from resources import sql_files
from wxyc_assets.assets.rated_usage.seals.receipt import FIRST, Entry, SealedState

PACKAGE = "wxyc_assets.assets.rated_usage.seals"


def entries(connection: psycopg.Connection) -> list[Entry]:
    """Return the whole chain, in order."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return [_entry(row) for row in cursor.execute(sql_files.load(PACKAGE, "select_seals"))]


def head(connection: psycopg.Connection) -> str:
    """Return the digest of the last entry, which the next one names; empty if there is none."""
    found = connection.execute(sql_files.load(PACKAGE, "select_head")).fetchone()
    return str(found[0]) if found else FIRST


def is_sealed(connection: psycopg.Connection, hour: datetime) -> bool:
    """Whether the hour is sealed, and not opened again since."""
    ((sealed,),) = connection.execute(sql_files.load(PACKAGE, "select_is_sealed"), {"hour": hour}).fetchall()
    return bool(sealed)


def is_accepted(connection: psycopg.Connection, hour: datetime) -> bool:
    """Whether an operator accepted unbilled events of the hour since its last rating."""
    ((accepted,),) = connection.execute(sql_files.load(PACKAGE, "select_is_accepted"), {"hour": hour}).fetchall()
    return bool(accepted)


def sealed_hours(connection: psycopg.Connection, start: datetime, end: datetime) -> int:
    """Return how many hours from ``start`` to ``end``, not included, are sealed."""
    window = {"window_start": start, "window_end": end}
    ((count,),) = connection.execute(sql_files.load(PACKAGE, "count_sealed_hours"), window).fetchall()
    return int(count)


def append(connection: psycopg.Connection, entry: Entry) -> Entry:
    """Append an entry and return it with its digest. The caller holds the lock of the chain."""
    entry = replace(entry, digest=entry.expected_digest())
    columns: dict[str, Any] = asdict(entry.state) if entry.state else dict.fromkeys(SealedState.__dataclass_fields__)
    connection.execute(
        sql_files.load(PACKAGE, "insert_seal"),
        {
            **columns,
            "window_start": entry.hour,
            "kind": entry.kind,
            "made_by": entry.made_by,
            "made_at": entry.made_at,
            "reason": entry.reason,
            "previous": entry.previous,
            "digest": entry.digest,
        },
    )
    return entry


def now(connection: psycopg.Connection) -> datetime:
    """Return the database's clock."""
    ((instant,),) = connection.execute(sql_files.load(PACKAGE, "select_clock")).fetchall()
    found: datetime = instant
    return found


def unsealed_hours(connection: psycopg.Connection, until: datetime) -> Sequence[datetime]:
    """Return the hours before ``until`` that are not sealed, from the first that a run rated, ascending."""
    return [hour for (hour,) in connection.execute(sql_files.load(PACKAGE, "select_unsealed_hours"), {"until": until})]


def _entry(row: dict[str, Any]) -> Entry:
    state = {name: row.pop(name) for name in SealedState.__dataclass_fields__}
    return Entry(hour=row.pop("window_start"), state=SealedState(**state) if row["kind"] == "seal" else None, **row)
