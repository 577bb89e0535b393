"""What ``wxyc status`` shows: the state of every asset as a JSON object, and as lines for the terminal."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from resources import sql_files
from wxyc_assets.assets.rated_usage.unpushed import PushWindow, needed, push_windows
from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.cli.alerts_view import AlertsView, format_age
from wxyc_assets.cli.budget_view import BudgetView, read_budget
from wxyc_assets.database.sessions import Sessions
from wxyc_assets.monitoring.alerts.queries import select_alerts, select_heartbeat
from wxyc_assets.monitoring.partition_status.rules import AssetStatus, State
from wxyc_assets.monitoring.partition_status.station import asset_statuses
from wxyc_assets.runs.advisory_locks import held_units, run_unit
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings, LmlSettings, RatingSettings, SentrySettings, load

STATES: Sequence[State] = ("fresh", "late", "failed", "never_built")
MAX_NAMED = 50
"""How many late and failed partitions are named. All are counted."""

_ROW = "{:<21} {:>6} {:>5} {:>6} {:>6}   {:<14} {:<14} {:>6}"
_HEADER = ("asset", "fresh", "late", "failed", "never", "last good run", "oldest waiting", "alerts")
_LEGEND = (
    "fresh, late, failed, never: number of partitions; never: no run has done it yet",
    "last good run: how long ago a run ended that did all of its partitions without an anomaly",
    "oldest waiting: how long the oldest input has waited that a run would take; -: nothing waits",
    "alerts: number of open alerts",
)
"""Each column and its unit."""


@dataclass(frozen=True)
class RunningRun:
    """A run that is running, and for how many seconds it has been."""

    run_id: str
    asset: str
    age_s: float


@dataclass(frozen=True)
class StatusView:
    """The station at one instant."""

    assets: Sequence[AssetStatus]
    alerts: AlertsView
    budget: BudgetView
    running: Sequence[RunningRun]
    push_needed: Sequence[PushWindow] = ()
    billing_problem: str = ""
    """Why rated_usage is not among the assets; empty if it is."""

    def as_json(self) -> dict[str, Any]:
        """Return the view as the object that the command prints."""
        return {
            "at": self.budget.at.isoformat(timespec="seconds"),
            "assets": {status.asset: self._asset_json(status) for status in self.assets},
            "alerts": self.alerts.summary(),
            "at_work": [asdict(run) for run in self.running],
            "budget": self.budget.as_json(),
            "billing_problem": self.billing_problem or None,
            "push_needed": [window.as_json() for window in self.push_needed],
        }

    def lines(self) -> Iterator[str]:
        """Return the view as lines for the terminal."""
        yield _ROW.format(*_HEADER).rstrip()
        for status in self.assets:
            counts = [status.count(state) for state in STATES]
            last_good = format_age(_age_s(status, _last_good_at(status)))
            waiting = _duration(_age_s(status, status.waiting_since)) if status.waiting_since else "-"
            yield _ROW.format(status.asset, *counts, last_good, waiting, self._open_alerts(status.asset))
        if self.billing_problem:
            yield f"rated_usage: unknown: {self.billing_problem}"
        yield from _LEGEND
        yield f"alerts: {self.alerts.headline()}" + (" (`wxyc alerts`)" if self.alerts.open_alerts else "")
        yield from self.alerts.warnings()
        for run in self.running:
            yield f"running: {run.asset} for {_duration(run.age_s)} (run {run.run_id})"
        if not self.running:
            yield "running: no run"
        yield from (f"budget: {line}" for line in self.budget.lines())
        if self.push_needed:
            yield f"money: {needed(self.push_needed)}"

    def _asset_json(self, status: AssetStatus) -> dict[str, Any]:
        last_good_at = _last_good_at(status)
        return {
            "partitions": {state: status.count(state) for state in STATES},
            "late": status.partitions_in("late")[:MAX_NAMED],
            "failed": status.partitions_in("failed")[:MAX_NAMED],
            "last_good_run": status.last_good[0] if status.last_good else None,
            "last_good_at": _iso(last_good_at),
            "last_good_age_s": _age_s(status, last_good_at),
            "waiting_since": _iso(status.waiting_since),
            "waiting_s": _age_s(status, status.waiting_since),
            "waiting_is": BY_NAME[status.asset].input_noun,
            "open_alerts": self._open_alerts(status.asset),
        }

    def _open_alerts(self, asset: str) -> int:
        return self.alerts.count_for(asset)


def read_status(sessions: Sessions) -> StatusView:
    """Read the state of the station. Raises SettingsError, psycopg.Error."""
    connection, billing = sessions.station, sessions.billing
    has_sentry = load(SentrySettings).dsn is not None
    return StatusView(
        assets=asset_statuses(sessions, load(IdentitySettings), load(FlowsheetSettings), load(RatingSettings)),
        alerts=AlertsView(select_alerts(connection), select_heartbeat(connection), has_sentry=has_sentry),
        budget=read_budget(connection, load(LmlSettings).discogs_budget_per_min),
        running=_running_runs(sessions.open),
        push_needed=push_windows(billing) if billing else [],
        billing_problem=sessions.billing_problem,
    )


def _running_runs(connections: Sequence[psycopg.Connection]) -> list[RunningRun]:
    """Return the runs that hold their lock, each in the database that its asset writes."""
    running: list[RunningRun] = []
    for connection in connections:
        rows = connection.execute(sql_files.load("wxyc_assets.cli", "select_running_runs"))
        runs = [RunningRun(*row) for row in rows]
        alive = held_units(connection, [run_unit(run.run_id) for run in runs])
        running += [run for run in runs if run_unit(run.run_id) in alive]
    return running


def _last_good_at(status: AssetStatus) -> datetime | None:
    return status.last_good[1] if status.last_good else None


def _age_s(status: AssetStatus, instant: datetime | None) -> float | None:
    return round((status.at - instant) / timedelta(seconds=1), 1) if instant else None


def _duration(seconds: float | None) -> str:
    return format_age(seconds).removesuffix(" ago")


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None
