"""The story of a number: what one customer is billed for one hour, out of which events, and how it came to be so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from resources import sql_files
from wxyc_assets.rated_usage.money import Usd
from wxyc_assets.rated_usage.store import PACKAGE
from wxyc_assets.rated_usage.windows import HOUR, key, written

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Story:
    """What is known of a customer's hour. Amounts are decimal text.

    ``rows`` are billed now, ``events`` are there now, ``changes`` led to the rows, ``ratings`` are the runs that looked at the
    hour, all of them oldest first.
    """

    auth_id: str
    hour: datetime
    rows: Sequence[Row]
    events: Sequence[Row]
    changes: Sequence[Row]
    ratings: Sequence[Row]

    @property
    def total_cost(self) -> Usd:
        """What the customer is billed for the hour."""
        return sum((Usd.of(row["cost"]) for row in self.rows), start=Usd())

    @property
    def not_billed(self) -> list[Row]:
        """The events of deployments and models that no row bills."""
        billed = {(row["resource_id"], row["model_id"]) for row in self.rows}
        return [group for group in self.events if (group["resource_id"], group["model"]) not in billed]

    def printed(self) -> dict[str, Any]:
        """Return the story as one JSON object."""
        return {
            "auth_id": self.auth_id,
            "hour": key(self.hour),
            "window": written(self.hour, self.hour + HOUR),
            "total_cost": str(self.total_cost),
            "rows": list(self.rows),
            "events": list(self.events),
            "changes": list(self.changes),
            "ratings": list(self.ratings),
        }

    def told(self) -> list[str]:
        """Tell it in sentences, one a line."""
        if not (self.rows or self.events or self.changes):
            return [
                f"{self.auth_id} used nothing in {written(self.hour, self.hour + HOUR)}, and was never billed for it"
            ]
        return [
            f"{self.auth_id} is billed {self.total_cost} USD for {written(self.hour, self.hour + HOUR)}",
            *(_sum(row) for row in self.rows),
            *(_not_billed(group) for group in self.not_billed),
            *(_change(change) for change in self.changes),
            self._last_rating(),
        ]

    def _last_rating(self) -> str:
        if not self.ratings:
            return "no run has rated this hour"
        last = self.ratings[-1]
        times = "once" if len(self.ratings) == 1 else f"{len(self.ratings)} times"
        return f"rated {times}, last by run {last['run_id']} at {_when(last['rated_at'])}"


def tell(connection: psycopg.Connection, auth_id: str, hour: datetime) -> Story:
    """Read the story of a customer's hour; a customer that nobody knows has an empty one."""
    hours = {"auth_id": auth_id, "window_start": hour, "window_end": hour + HOUR}
    return Story(
        auth_id,
        hour,
        rows=_read(connection, "select_story_rows", **hours),
        events=_read(connection, "select_story_events", **hours),
        changes=_read(connection, "select_story_changes", **hours),
        ratings=_read(connection, "select_story_ratings", partition_key=key(hour)),
    )


def _read(connection: psycopg.Connection, query: str, **parameters: object) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql_files.load(PACKAGE, query), parameters).fetchall()


def _sum(row: Row) -> str:
    is_ = "=" if row["adds_up"] else "IS NOT"
    return (
        f"  {row['model_id']} on {row['resource_id']}, {row['event_count']} events: "
        f"{row['billable_prompt_tokens']} x {row['prompt_rate']} + {row['cached_tokens']} cached x {row['cached_rate']} + "
        f"{row['completion_tokens']} completion x {row['completion_rate']} {is_} {row['cost']} USD"
    )


def _not_billed(group: Row) -> str:
    base = f" with base {group['base_model']}" if group["base_model"] is not None else ""
    return f"  not billed: {group['events']} events of {group['model']}{base} on {group['resource_id']}"


def _change(change: Row) -> str:
    went = {
        "insert": "billed at {cost_after}",
        "change": "changed from {cost_before} to {cost_after}",
        "delete": "deleted at {cost_before}",
    }[change["kind"]].format_map(change)
    why = " (at other rates)" if change["kind"] == "change" and change["rates_changed"] else ""
    return (
        f"  {_when(change['changed_at'])}: {change['model_id']} on {change['resource_id']} {went} USD{why}, "
        f"by {change['origin']} run {change['run_id']}, prices {change['price_digest'][:12]}"
    )


def _when(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ")
