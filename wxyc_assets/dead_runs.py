"""Ends runs that were killed: Dagster believes them to be at work for ever, and they would block and mislead people.

A run that works holds the lock on its own id (see single_flight). One that Dagster calls started, that took up work, has not
ended by itself and does not hold its lock, is dead.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg

from resources import sql_files

START_GRACE = timedelta(minutes=5)
"""A run that has not taken up work after so long died while it was starting."""


def end_dead_runs(instance: dg.DagsterInstance, connection: psycopg.Connection) -> list[str]:
    """Report every dead run as failed and return their ids. Anyone who is about to start work calls this first."""
    started = {
        record.dagster_run.run_id: record
        for record in instance.get_run_records(
            dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING])
        )
    }
    if not started:
        return []
    rows = connection.execute(sql_files.load("wxyc_assets", "select_run_lives"), {"run_ids": list(started)}).fetchall()
    lives = {run_id: (at_work, locked) for run_id, at_work, locked in rows}
    dead = []
    for run_id, record in started.items():
        at_work, locked = lives[run_id]
        began = datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), UTC)
        if not locked and (at_work or datetime.now(UTC) - began > START_GRACE):
            instance.report_run_failed(
                record.dagster_run,
                "The process of this run is gone (killed, or its machine restarted). What it had committed is kept; "
                "run the partitions again to do the rest.",
            )
            dead.append(run_id)
    return dead
