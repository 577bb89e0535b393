"""What ``wxyc budget`` shows: the shared budget of Discogs calls as it stands, who waits for it, and when it would be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from resources import sql_files
from resources.budget import DISCOGS
from resources.lml.endpoints import DISCOGS_CAP_PER_MIN
from wxyc_assets.single_flight import held_units, run_unit


@dataclass(frozen=True)
class Waiting:
    """A run at work, and how many Discogs calls it still expects to ask for."""

    run_id: str
    asset: str
    discogs_calls_left: float


@dataclass(frozen=True)
class Spending:
    """The budget at one instant; all instants are UTC.

    ``used_last_minute`` calls were allowed to start, ``reserved_ahead`` may start later, and from ``free_at`` on the next
    one starts at once if its minute has room for it. ``blocked_until``: LML asked to be left alone; None: it did not.
    """

    at: datetime
    per_minute: float
    used_last_minute: float
    reserved_ahead: float
    free_at: datetime
    blocked_until: datetime | None
    queue: Sequence[Waiting]

    @property
    def done_at(self) -> datetime | None:
        """About when the queue would be done, as the runs estimate it; None when nothing waits.

        What LML has in its cache is done sooner; calls that do not fill a minute exactly leave some of it unused, and take
        longer.
        """
        if not self.queue:
            return None
        calls = sum(waiting.discogs_calls_left for waiting in self.queue)
        return self.free_at + timedelta(minutes=calls / self.per_minute)

    def printed(self) -> dict[str, Any]:
        """Return it as the object that the command prints."""
        return {
            "at": _iso(self.at),
            "discogs_calls_per_min": self.per_minute,
            "discogs_cap_per_min": DISCOGS_CAP_PER_MIN,
            "used_last_minute": self.used_last_minute,
            "reserved_ahead": self.reserved_ahead,
            "free_at": _iso(self.free_at),
            "blocked_until": _iso(self.blocked_until),
            "queue": [vars(waiting) for waiting in self.queue],
            "done_at": _iso(self.done_at),
        }

    def told(self) -> list[str]:
        """Return it as lines for a person, with instants in the local time zone."""
        share = f"{self.used_last_minute:g} of {self.per_minute:g} Discogs calls were used in the last minute"
        ahead = f", {self.reserved_ahead:g} more are reserved" if self.reserved_ahead else ""
        lines = [share + ahead]
        if self.blocked_until:
            lines.append(f"LML asked to be left alone until {_local(self.blocked_until)}")
        lines += [
            f"waiting: {each.asset}, about {each.discogs_calls_left:g} calls left (run {each.run_id})"
            for each in self.queue
        ]
        lines.append(f"done about {_local(self.done_at)}" if self.done_at else "nothing waits for it")
        return lines


def spending(connection: psycopg.Connection, per_minute: float) -> Spending:
    """Read the budget as it stands. Raises psycopg.DataError if our schema has none."""
    use = connection.execute(sql_files.load("wxyc_assets.cli", "budget_use"), {"name": DISCOGS}).fetchone()
    if use is None:
        raise psycopg.DataError(f"wxyc_assets.budget has no row {DISCOGS}: run `wxyc migrate`")
    rows = connection.execute(sql_files.load("wxyc_assets.cli", "budget_queue")).fetchall()
    queue = [Waiting(*row) for row in rows]
    alive = held_units(connection, [run_unit(waiting.run_id) for waiting in queue])
    at, used, ahead, free_at, blocked_until = use
    return Spending(
        at=at,
        per_minute=per_minute,
        used_last_minute=used,
        reserved_ahead=ahead,
        free_at=free_at,
        blocked_until=blocked_until,
        queue=[waiting for waiting in queue if run_unit(waiting.run_id) in alive],
    )


def _iso(instant: datetime | None) -> str | None:
    return instant.isoformat(timespec="seconds") if instant else None


def _local(instant: datetime) -> str:
    return instant.astimezone().strftime("%a %d %b %H:%M")
