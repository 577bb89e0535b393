"""What ``wxyc alerts`` shows: the outbox as an object, and as lines for a person."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from wxyc_assets.alerts.listing import Listed, Watch

UNWATCHED = (
    "nobody watches: the sensor alerts {when}, so that this list is what the last runs of the command line left. "
    "`wxyc up` runs it, and Automation in the UI shows it"
)


@dataclass(frozen=True)
class Bulletin:
    """The alerts as they stand, whether the sensor looks after them, and whether there is a Sentry to be told."""

    alerts: Sequence[Listed]
    watch: Watch
    has_sentry: bool

    @property
    def open_alerts(self) -> list[Listed]:
        """Those that have not recovered."""
        return [alert for alert in self.alerts if alert.is_open]

    @property
    def causes(self) -> list[Listed]:
        """Those of them that are not part of another one that is open."""
        found = self.open_alerts
        return [alert for alert in found if alert.part_of not in {other.alert_id for other in found}]

    def printed(self) -> dict[str, Any]:
        """Return it as the object that the command prints."""
        return {**self.summary(), "alerts": [_printed(alert) for alert in self.alerts]}

    def summary(self) -> dict[str, Any]:
        """Return its numbers."""
        found = self.open_alerts
        return {
            "open": len(found),
            "causes": len(self.causes),
            "errors": sum(alert.severity == "error" for alert in found),
            "undelivered": sum(alert.delivered_at is None for alert in found),
            "sentry": "configured" if self.has_sentry else "not configured",
            "delivery_problem": self.watch.problem,
            "watched_at": self.watch.looked_at.isoformat() if self.watch.looked_at else None,
            "watched": self.watch.is_on,
        }

    def told(self) -> Iterator[str]:
        """Return it as lines for a person."""
        shown = {alert.alert_id for alert in self.alerts}
        for alert in (alert for alert in self.alerts if alert.part_of not in shown):
            yield from _lines(alert, [part for part in self.alerts if part.part_of == alert.alert_id])
        yield self.headline()
        yield from self.warnings()

    def headline(self) -> str:
        """Say in one line how many there are."""
        found, causes = self.open_alerts, self.causes
        if not found:
            return "no open alert"
        errors = sum(alert.severity == "error" for alert in causes)
        more = len(found) - len(causes)
        return f"{len(causes)} open, {errors} of them errors" + (f"; {more} more have the same causes" if more else "")

    def warnings(self) -> Iterator[str]:
        """Say why what is listed may not be all, or may not have been told."""
        if not self.watch.is_on:
            yield UNWATCHED.format(
                when=f"last looked {ago(self.watch.age_s)}" if self.watch.looked_at else "never looked"
            )
        if self.watch.problem:
            yield f"Sentry: {self.watch.problem}; it is tried again"
        if not self.has_sentry:
            yield "SENTRY_DSN is not set: alerts are only kept here"


def ago(age_s: float | None) -> str:
    """Say how long ago something was, in one unit: 40 s ago, 12 min ago, 5 h ago, 9 d ago."""
    if age_s is None:
        return "never"
    for unit, seconds in (("d", 86400), ("h", 3600), ("min", 60)):
        if age_s >= 2 * seconds:
            return f"{age_s / seconds:.0f} {unit} ago"
    return f"{max(0, age_s):.0f} s ago"


def _lines(alert: Listed, parts: Sequence[Listed]) -> Iterator[str]:
    state = alert.severity.upper() if alert.is_open else "recovered"
    yield f"{state:<9} " + alert.message.replace("\n", "\n" + " " * 10)
    since = ago((datetime.now(UTC) - alert.first_seen_at) / timedelta(seconds=1))
    said = [f"alert {alert.alert_id}, first {since}", f"{alert.occurrences} times" if alert.occurrences > 1 else "once"]
    said += [f"run {alert.run_id}"] if alert.run_id else []
    said += [f"and {len(parts)} checks of it could not be evaluated"] if parts and alert.kind == "run" else []
    said += [f"Sentry does not have it: {alert.delivery_problem}"] if alert.delivery_problem else []
    yield f"          {', '.join(said)}"


def _printed(alert: Listed) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(alert).items()}
