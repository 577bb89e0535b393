"""Names the models and customers whose events the checks of rated_usage found not to be billed."""

from contextlib import suppress
from dataclasses import replace

import psycopg

from wxyc_assets.monitoring.alerts.outbox import execute
from wxyc_assets.monitoring.alerts.rules import Alert
from wxyc_assets.runs.partitions import hour_start

CHECKS = frozenset({"unpriced_zero", "unattributable_zero", "ambiguous_base_zero", "ambiguous_org_zero"})
MAX_HOURS = 24
SHOWN = 3
TIMEOUT = "5s"


def with_names(connection: psycopg.Connection | None, alert: Alert) -> Alert:
    """Return the alert with ``who`` among its details; unchanged if it is about something else, or if nothing can be named.

    The first 24 hours of the alert are read, for five seconds at most. ``connection``: the database of the billing
    tables; None if it cannot be reached.
    """
    hours = sorted(key for key in alert.partitions if key)[:MAX_HOURS]
    if connection is None or alert.asset != "rated_usage" or alert.source not in CHECKS or not hours:
        return alert
    found: list[tuple[str, str, int]] = []
    with suppress(psycopg.ProgrammingError, psycopg.errors.QueryCanceled), connection.transaction():
        connection.execute("SELECT set_config('statement_timeout', %s, true)", [TIMEOUT])
        starts = [hour_start(key) for key in hours]
        found = execute(connection, "select_unbilled_usage", hours=starts, why=alert.source).fetchall()
    if not found:
        return alert
    named = [f"{model} of {customer} ({events} events)" for model, customer, events in found[:SHOWN]]
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return replace(alert, details={**alert.details, "who": ", ".join(named) + more})
