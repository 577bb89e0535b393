"""Ends runs that were killed: Dagster believes them to be at work for ever, and they would block and mislead people.

A run that works holds the lock on its own id (see single_flight). One that Dagster calls started, that took up work, has not
ended by itself and does not hold its lock, is dead; so is one that never got as far as that.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets.revision import require_migrated

OPEN = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]

GRACE = timedelta(minutes=5)
"""How long a run may take to start before it takes up work, and to report to Dagster after it has ended it."""


def end_dead_runs(instance: dg.DagsterInstance, connection: psycopg.Connection) -> list[str]:
    """Report every dead run as failed and return their ids. Anyone who is about to start work calls this first."""
    open_runs = {record.dagster_run.run_id: record for record in instance.get_run_records(dg.RunsFilter(statuses=OPEN))}
    # Asked twice: of a run that ends between the reading of the ledger and that of the locks, one look sees a corpse.
    suspects = _without_life(connection, open_runs)
    dead = _without_life(connection, {run_id: open_runs[run_id] for run_id in suspects})
    ended = []
    for run_id in dead:
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status in OPEN:
            instance.report_run_failed(
                run,
                "The process of this run is gone (killed, or its machine restarted). What it had committed is kept; "
                "run the partitions again to do the rest.",
            )
            ended.append(run_id)
    return ended


def sweep(instance: dg.DagsterInstance, postgres: Postgres, log: logging.Logger) -> list[str]:
    """End every dead run, warn of it, and return their ids: for sensors and schedules, before they ask for anything."""
    with postgres.connect() as connection:
        require_migrated(connection)
        ended = end_dead_runs(instance, connection)
    if ended:
        log.warning("ended runs whose process was gone: %s", ", ".join(ended))
    return ended


def _without_life(connection: psycopg.Connection, runs: Mapping[str, dg.RunRecord]) -> list[str]:
    """Return the runs that do not hold their lock, and should, or have given no sign of life for the grace."""
    if not runs:
        return []
    rows = connection.execute(sql_files.load("wxyc_assets", "select_run_lives"), {"run_ids": list(runs)})
    now = datetime.now(UTC)
    return [
        run_id
        for run_id, at_work, ended_at, locked in rows
        if not locked and (at_work or now - (ended_at or _began(runs[run_id])) > GRACE)
    ]


def _began(record: dg.RunRecord) -> datetime:
    """Without a start, the last change of its status: a run may have been queued for long before."""
    return datetime.fromtimestamp(record.start_time, UTC) if record.start_time else record.update_timestamp
