"""Ends dead runs: Dagster lists a killed run as started for ever, which blocks other runs and misleads operators.

A live run holds the lock on its own id (``runs.advisory_locks``). A run that Dagster lists as started, that has begun and not
ended in the ledger, and that does not hold its lock, is dead. So is a run that never began within the grace period.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

import dagster as dg
import psycopg

from resources import sql_files
from resources.postgres import Postgres
from wxyc_assets.database.sessions import open_sessions

OPEN = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]

GRACE = timedelta(minutes=5)
"""How long a run may take from its first sight to its lock, and from the end of its work to its report to Dagster.

Both are counted by the database's clock: the clock of a run's host may differ by an hour.
"""


def end_dead_runs(instance: dg.DagsterInstance, connections: Sequence[psycopg.Connection]) -> list[str]:
    """Report every dead run as failed and return their ids. The command line and the sensors call this before a run.

    A run holds its lock in the database that its asset writes: it is dead if it is dead in all ``connections``, one for each
    database that holds our schema.
    """
    open_runs = [record.dagster_run.run_id for record in instance.get_run_records(dg.RunsFilter(statuses=OPEN))]
    for connection in connections:
        connection.execute(sql_files.load("wxyc_assets.orchestration", "note_open_runs"), {"run_ids": open_runs})
    # Read twice: a run that ends between the read of the ledger and that of the locks looks dead in one read.
    suspects = _dead(connections, open_runs)
    ended = []
    for run_id in _dead(connections, suspects):
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status in OPEN:
            instance.report_run_failed(
                run,
                "The process of this run is gone (killed, or its machine restarted). What it had committed is kept; "
                "run the partitions again to do the rest.",
            )
            ended.append(run_id)
    return ended


def sweep(instance: dg.DagsterInstance, postgres: Postgres, billing: Postgres, log: logging.Logger) -> list[str]:
    """End every dead run, log a warning, and return their ids: for sensors and schedules, before they request runs.

    Ends none while the database of the billing tables cannot be reached: any run may be alive there.
    """
    with open_sessions(postgres, billing) as sessions:
        if sessions.billing is None:
            log.warning("dead runs are not looked for: %s", sessions.billing_problem)
            return []
        ended = end_dead_runs(instance, sessions.open)
    if ended:
        log.warning("ended runs whose process was gone: %s", ", ".join(ended))
    return ended


def _dead(connections: Sequence[psycopg.Connection], run_ids: Sequence[str]) -> list[str]:
    """Return the runs that should hold their lock and do not, and those without any activity during the grace period."""
    query = sql_files.load("wxyc_assets.orchestration", "select_run_lives")
    dead = list(run_ids)
    for connection in connections:
        dead = [run_id for run_id, is_dead in connection.execute(query, {"run_ids": dead, "grace": GRACE}) if is_dead]
    return dead
