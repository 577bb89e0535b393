"""The sensor that runs the alerts' tick: it ingests finished runs, stores late conditions, and delivers to Sentry."""

import uuid
from datetime import UTC, datetime

import dagster as dg
import psycopg

from resources.postgres import Postgres
from resources.redaction import Redactor
from resources.sentry_sender import SentryEvent, SentrySender, SentrySendError
from wxyc_assets.database.sessions import open_sessions
from wxyc_assets.monitoring.alerts.event_log import scopes_of
from wxyc_assets.monitoring.alerts.tick import TickContext, run_tick
from wxyc_assets.runs import runbook
from wxyc_assets.runs.run_console import RunConsole
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings, RatingSettings, UiSettings

SOURCE = "database_unreachable"
FINGERPRINT = ("wxyc_assets", "outbox", SOURCE)


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,  # it starts no run, and while it is off Sentry receives no alert
    description=(
        "Stores an alert for every failed check, failed run, late window and stale shard, sends each to Sentry once, even if "
        "Sentry was down at the time, and closes it when it recovers. `wxyc alerts` lists them. The sensor starts no run."
    ),
)
def alerts(
    context: dg.SensorEvaluationContext,
    postgres: dg.ResourceParam[Postgres],
    billing_postgres: dg.ResourceParam[Postgres],
    console: dg.ResourceParam[RunConsole],
    sentry_sender: dg.ResourceParam[SentrySender | None],
    identity_settings: dg.ResourceParam[IdentitySettings],
    flowsheet_settings: dg.ResourceParam[FlowsheetSettings],
    rating_settings: dg.ResourceParam[RatingSettings],
    ui_settings: dg.ResourceParam[UiSettings],
) -> dg.SensorResult:
    """Run one tick. If the outbox's database is unreachable, send that to Sentry once an hour."""
    repository = context.repository_def
    tick = TickContext(
        scopes=scopes_of(repository.asset_checks_defs_by_key.values() if repository else ()),
        identity=identity_settings,
        flowsheet=flowsheet_settings,
        rating=rating_settings,
        redact=Redactor(console.secrets).plain,
        sender=sentry_sender,
        ui_url=ui_settings.ui_url,
        is_sensor=True,
    )
    try:
        with open_sessions(postgres, billing_postgres) as sessions:
            result = run_tick(tick, context.instance, sessions)
    except psycopg.OperationalError as error:
        return _report_unreachable(context, sentry_sender, error)
    return dg.SensorResult(skip_reason=str(result))


def _report_unreachable(
    context: dg.SensorEvaluationContext, sender: SentrySender | None, error: psycopg.OperationalError
) -> dg.SensorResult:
    """Skip the tick with the reason. The cursor is the hour in which Sentry last received it."""
    at = datetime.now(UTC)
    hour = at.strftime("%Y-%m-%dT%H")
    delivered_hour = context.cursor
    reason = f"the database cannot be reached, so that no alert is stored: {error}"
    if sender and delivered_hour != hour:
        event = SentryEvent(
            event_id=uuid.uuid5(uuid.NAMESPACE_OID, f"{FINGERPRINT} {hour}").hex,
            at=at,
            level="error",
            message=f"{reason}\nnext command: wxyc doctor\nrunbook: `{runbook.command(SOURCE)}`, {runbook.section(SOURCE)}",
            fingerprint=FINGERPRINT,
            tool="alerts",
            run_id=None,
            tags={"source": "outbox", "kind": "unreachable", "alert": "raised"},
            extra={"runbook": runbook.section(SOURCE)},
        )
        try:
            sender.send(event)
            delivered_hour = hour
        except SentrySendError as problem:
            reason = f"{reason}; {problem}"
    return dg.SensorResult(skip_reason=reason, cursor=delivered_hour)
