"""Reads from the ledger which runs asked LML, and what it answered."""

from datetime import datetime, timedelta

import psycopg

from resources import sql_files
from wxyc_assets.monitoring.lml_outage.rules import ANSWERED, ASKING, UNANSWERED, LmlRun

LOOK_BACK = timedelta(days=2)


def lml_runs(connection: psycopg.Connection, run_id: str | None = None) -> list[LmlRun]:
    """Return the runs of the last days that asked LML, by their end; or only the given one, if it is among them."""
    parameters = {
        "run_id": run_id,
        "assets": list(ASKING),
        "unanswered": [f"{asset}/{name}" for asset, names in UNANSWERED.items() for name in names],
        "answered": [f"{asset}/{name}" for asset, names in ANSWERED.items() for name in names],
        "look_back": LOOK_BACK,
    }
    rows = connection.execute(sql_files.load("wxyc_assets.monitoring.lml_outage", "select_lml_runs"), parameters)
    return [LmlRun(*row) for row in rows]


def database_now(connection: psycopg.Connection) -> datetime:
    """Return the time by the clock that the ledger is written with."""
    ((now,),) = connection.execute("SELECT clock_timestamp()").fetchall()
    return now  # type: ignore[no-any-return]
