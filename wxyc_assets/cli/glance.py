"""What ``wxyc status`` shows: every asset at a glance, as an object and as lines for a person."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from resources import sql_files
from wxyc_assets.alerts.listing import listed, watch
from wxyc_assets.cli.bulletin import Bulletin, ago
from wxyc_assets.cli.spending import Spending, spending
from wxyc_assets.settings import IdentitySettings, LmlSettings, RatingSettings, SentrySettings, load
from wxyc_assets.single_flight import held_units, run_unit
from wxyc_assets.standing.rules import Standing, State
from wxyc_assets.standing.station import standings
from wxyc_assets.standing.store import OLDEST_ROWS

STATES: Sequence[State] = ("fresh", "late", "failed", "never_built")
NAMED = 50
"""How many late and failed partitions are named; all are counted."""

_ROW = "{:<21} {:>6} {:>5} {:>6} {:>6}   {:<14} {:<12} {:>6}"


@dataclass(frozen=True)
class AtWork:
    """A run that works now, and for how many seconds it has."""

    run_id: str
    asset: str
    age_s: float


@dataclass(frozen=True)
class Glance:
    """The station at one instant."""

    assets: Sequence[Standing]
    bulletin: Bulletin
    budget: Spending
    at_work: Sequence[AtWork]

    def printed(self) -> dict[str, Any]:
        """Return it as the object that the command prints."""
        return {
            "at": self.budget.at.isoformat(timespec="seconds"),
            "assets": {standing.asset: self._printed(standing) for standing in self.assets},
            "alerts": self.bulletin.summary(),
            "at_work": [asdict(run) for run in self.at_work],
            "budget": self.budget.printed(),
        }

    def told(self) -> Iterator[str]:
        """Return it as lines for a person."""
        yield _ROW.format("asset", "fresh", "late", "failed", "never", "last good run", "oldest row", "alerts").rstrip()
        for standing in self.assets:
            counts = [standing.count(state) for state in STATES]
            good, oldest = ago(_age_s(standing, _good_at(standing))), ago(_age_s(standing, standing.oldest_row_at))
            row = oldest if standing.oldest_row_at else "-"
            yield _ROW.format(standing.asset, *counts, good, row, self._open_alerts(standing.asset) or "-")
        yield f"alerts: {self.bulletin.headline()}" + (" (`wxyc alerts`)" if self.bulletin.open_alerts else "")
        yield from self.bulletin.warnings()
        for run in self.at_work:
            yield f"at work: {run.asset} since {ago(run.age_s).removesuffix(' ago')} (run {run.run_id})"
        if not self.at_work:
            yield "at work: nothing"
        yield from (f"budget: {line}" for line in self.budget.told())

    def _printed(self, standing: Standing) -> dict[str, Any]:
        good_at = _good_at(standing)
        return {
            "partitions": {state: standing.count(state) for state in STATES},
            "late": standing.named("late")[:NAMED],
            "failed": standing.named("failed")[:NAMED],
            "last_good_run": standing.last_good[0] if standing.last_good else None,
            "last_good_at": _iso(good_at),
            "last_good_age_s": _age_s(standing, good_at),
            "oldest_row_at": _iso(standing.oldest_row_at),
            "oldest_row_age_s": _age_s(standing, standing.oldest_row_at),
            "oldest_row_is": OLDEST_ROWS.get(standing.asset),
            "open_alerts": self._open_alerts(standing.asset),
        }

    def _open_alerts(self, asset: str) -> int:
        return sum(alert.asset == asset for alert in self.bulletin.causes)


def look(connection: psycopg.Connection) -> Glance:
    """Look at the station. Raises SettingsError, psycopg.Error."""
    return Glance(
        assets=standings(connection, load(IdentitySettings), load(RatingSettings)),
        bulletin=Bulletin(listed(connection), watch(connection), has_sentry=load(SentrySettings).dsn is not None),
        budget=spending(connection, load(LmlSettings).discogs_budget_per_min),
        at_work=_at_work(connection),
    )


def _at_work(connection: psycopg.Connection) -> list[AtWork]:
    runs = [AtWork(*row) for row in connection.execute(sql_files.load("wxyc_assets.cli", "runs_at_work"))]
    alive = held_units(connection, [run_unit(run.run_id) for run in runs])
    return [run for run in runs if run_unit(run.run_id) in alive]


def _good_at(standing: Standing) -> datetime | None:
    return standing.last_good[1] if standing.last_good else None


def _age_s(standing: Standing, instant: datetime | None) -> float | None:
    return round((standing.at - instant) / timedelta(seconds=1), 1) if instant else None


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None
