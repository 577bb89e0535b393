"""What ``wxyc alerts`` shows: the alerts as a JSON object, and as lines for the terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from wxyc_assets.monitoring.alerts.queries import AlertRow, SensorHeartbeat

SENSOR_OFF = (
    "the sensor `alerts` {last}, so this list holds what the last runs of the command line left. "
    "`wxyc up` starts the sensor, and Automation in the UI shows it"
)

INDENT = " " * 10
SHOWN_PARTS = 3


@dataclass(frozen=True)
class AlertsView:
    """The alerts, whether the sensor updates them, whether a Sentry is configured, and where the UI is."""

    alerts: Sequence[AlertRow]
    heartbeat: SensorHeartbeat
    has_sentry: bool
    ui_url: str | None = None

    @property
    def open_alerts(self) -> list[AlertRow]:
        """The alerts that have not recovered."""
        return [alert for alert in self.alerts if alert.is_open]

    @property
    def causes(self) -> list[AlertRow]:
        """The open alerts that are not part of another open alert."""
        found = self.open_alerts
        return [alert for alert in found if alert.part_of not in {other.alert_id for other in found}]

    def count_for(self, asset: str) -> int:
        """Return how many causes the open alerts about an asset have: several alerts can be part of one."""
        found = {alert.alert_id: alert for alert in self.open_alerts}

        def cause(alert: AlertRow) -> int:
            whole = found.get(alert.part_of) if alert.part_of else None
            return cause(whole) if whole else alert.alert_id

        return len({cause(alert) for alert in found.values() if alert.asset == asset})

    def as_json(self) -> dict[str, Any]:
        """Return the view as the object that the command prints."""
        return {**self.summary(), "alerts": [_alert_json(alert, self.ui_url) for alert in self.alerts]}

    def summary(self) -> dict[str, Any]:
        """Return the counts, and the state of the sensor and of Sentry."""
        found = self.open_alerts
        return {
            "open": len(found),
            "causes": len(self.causes),
            "errors": sum(alert.severity == "error" for alert in found),
            "undelivered": sum(alert.delivered_at is None for alert in found),
            "sentry": "configured" if self.has_sentry else "not configured",
            "delivery_problem": self.heartbeat.problem,
            "watched_at": self.heartbeat.ticked_at.isoformat() if self.heartbeat.ticked_at else None,
            "watched": self.heartbeat.is_alive,
        }

    def lines(self) -> Iterator[str]:
        """Return the view as lines for the terminal."""
        shown = {alert.alert_id for alert in self.alerts}
        for alert in (alert for alert in self.alerts if alert.part_of not in shown):
            yield from _alert_lines(alert, self._parts(alert), self.ui_url)
        yield self.headline()
        yield from self.warnings()

    def _parts(self, alert: AlertRow) -> list[AlertRow]:
        """Return the alerts that are part of this one, and theirs."""
        direct = [part for part in self.alerts if part.part_of == alert.alert_id]
        return [each for part in direct for each in (part, *self._parts(part))]

    def headline(self) -> str:
        """Return the number of open alerts, in one line."""
        found, causes = self.open_alerts, self.causes
        if not found:
            return "no open alert"
        errors = sum(alert.severity == "error" for alert in causes)
        more = len(found) - len(causes)
        return f"{len(causes)} open, {errors} of them errors" + (f"; {more} more have the same causes" if more else "")

    def warnings(self) -> Iterator[str]:
        """Return why the list may be incomplete, and why Sentry may not have all of it."""
        if not self.heartbeat.is_alive:
            has_run = self.heartbeat.ticked_at is not None
            yield SENSOR_OFF.format(last=f"last ran {format_age(self.heartbeat.age_s)}" if has_run else "has never run")
        if self.heartbeat.problem:
            yield f"the sensor `alerts`: {self.heartbeat.problem}; it retries"
        if not self.has_sentry:
            yield "SENTRY_DSN is not set: alerts are stored in the database only"


def format_age(age_s: float | None) -> str:
    """Return an age in one unit: 40 s ago, 12 min ago, 5 h ago, 9 d ago; never for None."""
    if age_s is None:
        return "never"
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if age_s >= 2 * seconds:
            return f"{age_s / seconds:.0f} {unit} ago"
    return f"{max(0, age_s):.0f} s ago"


def _alert_lines(alert: AlertRow, parts: Sequence[AlertRow], ui_url: str | None) -> Iterator[str]:
    state = alert.severity.upper() if alert.is_open else "recovered"
    what, *told = alert.story(ui_url).lines()
    yield f"{state:<9} " + what.replace("\n", "\n" + INDENT)
    yield from (INDENT + line for line in told)
    if parts:
        yield f"{INDENT}with the same cause: {_named(parts)}"
    first_seen = format_age((datetime.now(UTC) - alert.first_seen_at) / timedelta(seconds=1))
    details = [f"alert {alert.alert_id}, first {first_seen}"]
    details += [f"{alert.occurrences} times" if alert.occurrences > 1 else "once"]
    details += [f"Sentry does not have it: {alert.delivery_problem}"] if alert.delivery_problem else []
    if alert.needs_acknowledgement:
        details.append(f'open until `wxyc alerts --ack {alert.alert_id} --reason "..."`')
    yield INDENT + ", ".join(details)


def _named(parts: Sequence[AlertRow]) -> str:
    """Name the first three alerts, and how many more there are."""
    names = [f"{part.asset} {part.source}" for part in parts]
    more = f" and {len(names) - SHOWN_PARTS} more" if len(names) > SHOWN_PARTS else ""
    return ", ".join(names[:SHOWN_PARTS]) + more


def _alert_json(alert: AlertRow, ui_url: str | None) -> dict[str, Any]:
    columns = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(alert).items()
        if name != "details"
    }
    story = alert.story(ui_url)
    return {
        **columns,
        "numbers": alert.numbers,
        "needs_acknowledgement": alert.needs_acknowledgement,
        "about": story.which,
        "likely_cause": story.likely_cause,
        "next_try_at": alert.details.get("next_try_at"),
        "next_command": story.next_command,
        "runbook": story.runbook,
        "run": story.run,
    }
