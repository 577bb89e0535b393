"""Removes what is older than an age from Dagster's storage and from our schema in both databases."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.database.sessions import open_sessions
from wxyc_assets.retention.dagster_storage import DagsterStorage, storage_session
from wxyc_assets.retention.own_tables import prune_own_tables
from wxyc_assets.retention.rules import Removed, totals
from wxyc_assets.runs.advisory_locks import Locks, lock_session

UNIT = "prune"
"""The unit that a process holds while it prunes."""

STATEMENT_TIMEOUT_MS = 600_000
"""A statement takes at most some thousand rows, which it may have to find among those of years."""


class PruneError(Exception):
    """Nothing can be removed now; the message says why."""


@dataclass(frozen=True)
class Pruned:
    """What was removed, or what a dry run would remove.

    Attributes:
        before: the instant before which it ended or was written.
        removed: each kind, in the order of the kinds.
        unread_runs: how many old runs stay because the alerts have not read them.
    """

    before: datetime
    removed: Sequence[Removed]
    unread_runs: int


def prune(
    instance: dg.DagsterInstance, station: Postgres, billing: Postgres, older_than: timedelta, *, dry_run: bool
) -> Pruned:
    """Remove what is older than an age, in small transactions; what was removed stays so if this is interrupted.

    A dry run executes the same statements, and rolls them back. Raises PruneError if another
    process prunes, or if the database of the billing tables cannot be reached; psycopg.Error.
    """
    before = datetime.now(UTC) - older_than
    long = [replace(postgres, statement_timeout_ms=STATEMENT_TIMEOUT_MS) for postgres in (station, billing)]
    with closing(lock_session(station, "wxyc_assets prune")) as lock, open_sessions(*long) as sessions:
        for refusal in Locks(lock).take([UNIT], wait_s=0):
            raise PruneError(f"storage is being pruned by {refusal.holder}")
        if sessions.billing is None:
            raise PruneError(f"nothing was removed: {sessions.billing_problem}")
        with storage_session(instance) as session:
            storage = DagsterStorage(instance, session, sessions.station, before, dry_run)
            removed = list(storage.prune())
            for connection in sessions.open:
                is_station = connection is sessions.station
                removed += prune_own_tables(connection, before, is_station=is_station, dry_run=dry_run)
    return Pruned(before, totals(removed), storage.unread)
