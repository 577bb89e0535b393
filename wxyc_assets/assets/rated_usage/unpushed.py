"""The windows for which token-push has to be run: it posts the last 24 closed hours, and a run changed older bills."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import psycopg

from resources import sql_files
from wxyc_assets.runs.partitions import HOUR, hour_key, hour_ranges, hour_start, window_text

PACKAGE = "wxyc_assets.assets.rated_usage"


@dataclass(frozen=True)
class PushWindow:
    """The bounds with which token-push has to be run; ``until`` is not included."""

    since: datetime
    until: datetime

    def as_json(self) -> dict[str, str]:
        """Return the bounds as RFC 3339."""
        return {"since": self.since.isoformat(), "until": self.until.isoformat()}

    def __str__(self) -> str:
        return window_text(self.since, self.until)


def push_windows(connection: psycopg.Connection, run_id: str | None = None) -> list[PushWindow]:
    """Return the windows for which token-push has to be run; with a run's id those that this run changed."""
    query = sql_files.load(PACKAGE, "select_unpushed_hours")
    return _windows(hour for (hour,) in connection.execute(query, {"run_id": run_id}))


def mark_pushed(connection: psycopg.Connection, since: datetime, until: datetime, pushed_by: str) -> list[PushWindow]:
    """Record that token-push was run for a window, and return what of it was waiting for that."""
    window = {"since": since, "until": until, "pushed_by": pushed_by}
    return _windows(hour for (hour,) in connection.execute(sql_files.load(PACKAGE, "mark_pushed"), window))


def needed(windows: Iterable[PushWindow]) -> str:
    """Return what has to be done, in one sentence."""
    named = ", ".join(map(str, windows))
    return (
        f"the bills of hours that token-push posts no more have changed: run token-push for exactly {named}, then "
        "`wxyc rated pushed` with these bounds"
    )


def _windows(hours: Iterable[datetime]) -> list[PushWindow]:
    return [PushWindow(hour_start(first), hour_start(last) + HOUR) for first, last in hour_ranges(map(hour_key, hours))]
