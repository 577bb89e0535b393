"""Reads what the partition status is computed from: our own schema, and the inputs in the station's tables that wait."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

import psycopg
from psycopg.rows import dict_row

from resources import sql_files
from wxyc_assets.database.billing import has_billing
from wxyc_assets.monitoring.partition_status.rules import PartitionHistory
from wxyc_assets.runs.partitions import SHARD_COUNT
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings

PACKAGE = "wxyc_assets.monitoring.partition_status"


@dataclass(frozen=True)
class Waiting:
    """The database's clock, and since when the oldest input of each asset waits; None: nothing waits."""

    at: datetime
    since: Mapping[str, datetime | None]


def partition_histories(connection: psycopg.Connection) -> Mapping[str, Mapping[str, PartitionHistory]]:
    """Return when partitions were last credited and last missed, by asset and partition."""
    found: dict[str, dict[str, PartitionHistory]] = defaultdict(dict)
    for asset, key, *columns in connection.execute(sql_files.load(PACKAGE, "select_partition_histories")):
        found[asset][key] = PartitionHistory(*columns)
    return found


def last_good_runs(connections: Iterable[psycopg.Connection]) -> dict[str, tuple[str, datetime]]:
    """Return the last run of each asset that did all of its work without an anomaly, and when it ended."""
    query = sql_files.load(PACKAGE, "select_last_good_runs")
    rows = [row for connection in connections for row in connection.execute(query)]
    return {asset: (run_id, ended_at) for asset, run_id, ended_at in sorted(rows, key=itemgetter(2))}


def due_shards(connection: psycopg.Connection, settings: IdentitySettings) -> dict[str, datetime]:
    """Return the shards of library_identity that hold libraries which are due, and since when they are due."""
    parameters = {
        "shard_count": SHARD_COUNT,
        "stale_after": settings.stale_after,
        "retry_after": settings.retry_after,
        "include_null_canonical": settings.include_null_canonical,
    }
    return dict(connection.execute(sql_files.load(PACKAGE, "select_due_shards"), parameters).fetchall())


def first_event_hour(connection: psycopg.Connection) -> datetime | None:
    """Return the UTC hour of the first billing event since 2026; None if there is no event, or no billing at this station."""
    if not has_billing(connection):
        return None
    ((first,),) = connection.execute(sql_files.load(PACKAGE, "select_first_event_hour")).fetchall()
    return first.astimezone(UTC) if first else None


def waiting_since(connection: psycopg.Connection, identity: IdentitySettings, flowsheet: FlowsheetSettings) -> Waiting:
    """Return since when the oldest input of the assets waits whose inputs are rows of the station."""
    with connection.cursor(row_factory=dict_row) as cursor:
        query = sql_files.load(PACKAGE, "select_waiting_since")
        parameters = {"retry_after": identity.retry_after, "grace": flowsheet.grace}
        (row,) = cursor.execute(query, parameters).fetchall()
    columns: dict[str, Any] = dict(row)
    return Waiting(columns.pop("at"), columns)
