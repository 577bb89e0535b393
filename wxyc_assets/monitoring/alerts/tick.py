"""One tick of the alerts: ingests finished runs, stores the conditions that hold, and delivers to Sentry what it lacks."""

from dataclasses import dataclass

import dagster as dg
import psycopg

from wxyc_assets.database.sessions import Sessions
from wxyc_assets.monitoring.alerts import outbox
from wxyc_assets.monitoring.alerts.conditions import billing_alerts, condition_alerts
from wxyc_assets.monitoring.alerts.delivery import EventSender, check_in, deliver, send_check_in
from wxyc_assets.monitoring.alerts.event_log import Scopes
from wxyc_assets.monitoring.alerts.ingest import RunIngester
from wxyc_assets.monitoring.alerts.lml_cause import part_of_lml
from wxyc_assets.monitoring.alerts.outbox import Redact, execute
from wxyc_assets.monitoring.partition_status.station import asset_statuses
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings, RatingSettings


@dataclass(frozen=True)
class TickContext:
    """What a tick needs.

    Attributes:
        scopes: the scope of each check.
        identity: decides when an identity is due.
        flowsheet: decides which plays wait for an asset.
        rating: decides which hours are due.
        redact: removes secrets from what is stored.
        sender: sends events to Sentry; None: no Sentry is configured, and the tick does the rest.
        ui_url: where Dagster's UI is; None: unknown, and alerts name runs by their ids.
        is_sensor: whether the sensor runs the tick, which then records its heartbeat.
    """

    scopes: Scopes
    identity: IdentitySettings
    flowsheet: FlowsheetSettings
    rating: RatingSettings
    redact: Redact
    sender: EventSender | None
    ui_url: str | None = None
    is_sensor: bool = False


@dataclass(frozen=True)
class TickResult:
    """What a tick did: runs ingested, events that Sentry received, and the problem that kept it from more."""

    runs: int
    events: int
    problem: str

    def __str__(self) -> str:
        counts = f"ingested {self.runs} runs, sent {self.events} events to Sentry"
        return f"{counts}; {self.problem}" if self.problem else counts


def run_tick(context: TickContext, instance: dg.DagsterInstance, sessions: Sessions) -> TickResult:
    """Bring the outbox up to date, then deliver its pending events to Sentry.

    Raises psycopg.Error if the database fails; delivered events stay delivered.
    """
    connection = sessions.station
    runs = RunIngester(instance, sessions, context.scopes, context.redact).ingest()
    unread = _store_conditions(context, sessions)
    outbox.free_parts(connection)
    events, undelivered = deliver(connection, context.sender, ui_url=context.ui_url) if context.sender else (0, "")
    if context.is_sensor and context.sender and not undelivered:
        undelivered = check_in(connection, context.sender)
    problem = "; ".join(filter(None, (unread, undelivered)))
    if context.is_sensor:
        execute(connection, "update_heartbeat", problem=problem)
    return TickResult(runs, events, problem)


def _store_conditions(context: TickContext, sessions: Sessions) -> str:
    """Store which partitions are late or stale now; return why that is unknown, empty if it is known.

    A table of the station that is missing or may not be read concerns these alerts only.
    """
    try:
        with sessions.station.transaction():
            statuses = asset_statuses(sessions, context.identity, context.flowsheet, context.rating)
            conditions = [*part_of_lml(condition_alerts(statuses)), *billing_alerts(sessions.billing_problem)]
            assets = [status.asset for status in statuses]
            outbox.sync_conditions(
                sessions.station, conditions, assets=assets, at=statuses[0].at, redact=context.redact
            )
    except psycopg.ProgrammingError as error:
        return f"which partitions are late is unknown: {str(error).splitlines()[0]}; `wxyc doctor` says more"
    return ""


__all__ = ["TickContext", "TickResult", "run_tick", "send_check_in"]
