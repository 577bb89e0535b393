"""One customer's bill of one month: by day, model and deployment, its totals, and which hours are not rated."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.assets.rated_usage.reports.rows import Row, Rows, stream
from wxyc_assets.assets.rated_usage.seals.chain import sealed_hours
from wxyc_assets.runs.partitions import HOUR, LATE_AFTER, WindowError, floor_hour, hour_key, hour_start

_TOTALLED = ("events", "prompt_tokens", "cached_tokens", "completion_tokens", "billable_prompt_tokens")


@dataclass(frozen=True)
class Month:
    """A month of UTC, from ``start`` to ``end``, not included."""

    start: datetime
    end: datetime

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read ``2026-10``; raises WindowError."""
        if not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text) or text.startswith(("0000", "9999")):
            raise WindowError(f"--month {text}: is not a month, such as 2026-10")
        year, month = map(int, text.split("-"))
        following = (year + 1, 1) if month == 12 else (year, month + 1)  # noqa: PLR2004 - December
        return cls(datetime(year, month, 1, tzinfo=UTC), datetime(*following, 1, tzinfo=UTC))

    def __str__(self) -> str:
        """Return it as it is read."""
        return f"{self.start:%Y-%m}"


@dataclass(frozen=True)
class Coverage:
    """Which hours of a month are rated.

    Attributes:
        hours: hours of the month in which usage is billed.
        closed: how many of them have closed.
        unrated: partition keys of the closed hours that are not rated, ascending.
        overdue: those of them that closed more than two hours ago.
        unbilled: hours with events that their rating has not seen, as the last search found them.
        sealed: how many hours of the month no run changes any more.
    """

    hours: int
    closed: int
    unrated: Sequence[str]
    overdue: Sequence[str]
    unbilled: Sequence[Row]
    sealed: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether every hour of the month has closed and is rated, and no event is left out."""
        return self.closed == self.hours and not self.unrated and not self.unbilled

    @property
    def is_anomaly(self) -> bool:
        """Whether an operator must act: usage is unbilled, or an hour is not rated that should be."""
        return bool(self.overdue or self.unbilled)

    def as_json(self) -> dict[str, Any]:
        """Return it as an object."""
        return {
            "complete": self.is_complete,
            "hours": self.hours,
            "hours_closed": self.closed,
            "hours_rated": self.closed - len(self.unrated),
            "hours_sealed": self.sealed,
            "unrated_hours": list(self.unrated),
            "unbilled_hours": list(self.unbilled),
        }


@dataclass(frozen=True)
class Bill:
    """What a customer is billed for a month. ``rows`` are by day, model, deployment and, if there is one, organisation."""

    auth_id: str
    month: Month
    rows: Sequence[Row]
    coverage: Coverage

    def as_json(self) -> dict[str, Any]:
        """Return the bill as one JSON object, amounts as decimal text."""
        return {
            "auth_id": self.auth_id,
            "month": str(self.month),
            "total": _total(self.rows),
            "by_day": self.totals_by("day"),
            "by_model": self.totals_by("model_id"),
            "by_deployment": self.totals_by("resource_id"),
            "by_organisation": self.totals_by("org_id"),
            "rows": list(self.rows),
            "coverage": self.coverage.as_json(),
        }

    def totals_by(self, name: str) -> list[dict[str, Any]]:
        """Return the totals of the rows with each value of a column, ascending; null comes first."""
        return [
            {name: value, **_total([row for row in self.rows if row[name] == value])}
            for value in sorted({row[name] for row in self.rows}, key=lambda value: (value is not None, value))
        ]


def bill_rows(connection: psycopg.Connection, auth_id: str, month: Month) -> Rows:
    """Return a customer's bill by day, model, deployment and organisation."""
    return stream(connection, "select_bill", auth_id=auth_id, window_start=month.start, window_end=month.end)


def coverage(connection: psycopg.Connection, month: Month, now: datetime, first_hour: datetime) -> Coverage:
    """Return which hours of the month are rated at ``now``; no hour before ``first_hour`` counts."""
    start = max(month.start, first_hour)
    end = min(month.end, floor_hour(now))
    unrated: list[str] = []
    unbilled: list[Row] = []
    if start < end:
        found = stream(connection, "select_unrated_hours", window_start=start, window_end=end)
        unrated = [hour_key(datetime.fromisoformat(row["hour"])) for row in found]
        keys = {"first_key": hour_key(start), "last_key": hour_key(end - HOUR)}
        unbilled = list(stream(connection, "select_unbilled_hours", **keys))
    return Coverage(
        hours=max(0, (month.end - start) // HOUR),
        closed=max(0, (end - start) // HOUR),
        unrated=unrated,
        overdue=[hour for hour in unrated if hour_start(hour) + HOUR + LATE_AFTER < now],
        unbilled=unbilled,
        sealed=sealed_hours(connection, start, end) if start < end else 0,
    )


def _total(rows: Sequence[Row]) -> dict[str, Any]:
    cost = sum((Usd.parse(row["cost"]) for row in rows), start=Usd())
    return {"cost": str(cost), **{name: sum(row[name] for row in rows) for name in _TOTALLED}}
