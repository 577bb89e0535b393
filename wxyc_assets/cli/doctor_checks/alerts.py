"""Checks that the sensor ``alerts`` runs: while it does not, only runs of the command line raise alerts."""

from collections.abc import Iterator

import psycopg

from resources.embedded_postgres import EmbeddedPostgresError
from wxyc_assets.cli.alerts_view import format_age
from wxyc_assets.cli.doctor_checks.diagnosis import Context, Diagnosis
from wxyc_assets.database import connections
from wxyc_assets.database.revision import MigrationError, require_migrated
from wxyc_assets.monitoring.alerts.queries import select_heartbeat
from wxyc_assets.settings import DatabaseSettings


def check_alerts(context: Context) -> Iterator[Diagnosis]:
    """Check that the sensor has run lately, and that Sentry took what it sent. A run works without it, so this only warns."""
    settings = context.settings(DatabaseSettings)
    if not settings.database_url and not connections.embedded(settings).running():
        return  # check_database reports that the embedded server is not running
    try:
        with connections.postgres_from(settings).connect() as connection:
            require_migrated(connection)
            heartbeat = select_heartbeat(connection)
    except (psycopg.Error, MigrationError, EmbeddedPostgresError):
        return  # check_database reports it
    last = f"last ran {format_age(heartbeat.age_s)}" if heartbeat.ticked_at else "has never run"
    if not heartbeat.is_alive:
        advice = "start the daemon (`wxyc up`), and switch `alerts` on under Automation in the UI"
        yield Diagnosis(
            "alerts",
            ok=True,
            says=f"WARNING: the sensor `alerts` {last}, so that only runs of the command line raise alerts",
            advice=advice,
        )
    elif heartbeat.problem:
        yield Diagnosis("alerts", ok=True, says=f"WARNING: {heartbeat.problem}", advice="the sensor retries")
    else:
        yield Diagnosis("alerts", ok=True, says=f"the sensor `alerts` {last}")
