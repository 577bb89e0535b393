"""Asks the station's budget of Discogs calls when it would be done with a run that has not begun."""

import psycopg

from resources import sql_files
from resources.budget import DISCOGS
from wxyc_assets.pace import Forecast, Pace


def forecast(connection: psycopg.Connection, inputs: int, pace: Pace) -> Forecast:
    """Return when the station's budget would be done with so many inputs; reserves nothing."""
    statement = sql_files.load("wxyc_assets", "select_budget_backlog")
    ((now, backlog_s),) = connection.execute(statement, {"name": DISCOGS}).fetchall()
    return Forecast(now, backlog_s, pace.seconds(inputs))
