"""Explains what one customer is billed for one hour: the rows, the events behind them and every change that led to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from resources import sql_files
from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.assets.rated_usage.store import PACKAGE
from wxyc_assets.runs.partitions import HOUR, hour_key, rfc3339, window_text

Row = Mapping[str, Any]


@dataclass(frozen=True)
class UsageExplanation:
    """What the database holds about one customer's hour. Amounts are decimal text.

    Attributes:
        rows: what the customer is billed now.
        events: the usage events of the hour as they are now, billed or not.
        changes: every change that led to the rows, oldest first.
        ratings: the runs that rated the hour, oldest first.
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
        return sum((Usd.parse(row["cost"]) for row in self.rows), start=Usd())

    @property
    def is_empty(self) -> bool:
        """Whether the customer used nothing in the hour and was never billed for it."""
        return not (self.rows or self.events or self.changes)

    @property
    def not_billed(self) -> list[Row]:
        """The events of deployments and models that no row bills."""
        billed = {(row["resource_id"], row["model_id"]) for row in self.rows}
        return [group for group in self.events if (group["resource_id"], group["model"]) not in billed]

    def as_json(self) -> dict[str, Any]:
        """Return the explanation as one JSON object."""
        return {
            "auth_id": self.auth_id,
            "hour": hour_key(self.hour),
            "window": window_text(self.hour, self.hour + HOUR),
            "total_cost": str(self.total_cost),
            "rows": list(self.rows),
            "events": list(self.events),
            "changes": list(self.changes),
            "ratings": list(self.ratings),
        }

    def lines(self) -> list[str]:
        """Return the explanation as sentences for the terminal, one a line."""
        if self.is_empty:
            return [
                f"{self.auth_id} used nothing in {window_text(self.hour, self.hour + HOUR)}, and was never billed for it"
            ]
        return [
            f"{self.auth_id} is billed {self.total_cost} USD for {window_text(self.hour, self.hour + HOUR)}",
            *(_billed_line(row) for row in self.rows),
            *(_not_billed_line(group) for group in self.not_billed),
            *(_change_line(change) for change in self.changes),
            self._rating_line(),
        ]

    def _rating_line(self) -> str:
        if not self.ratings:
            return "no run has rated this hour"
        last = self.ratings[-1]
        times = "once" if len(self.ratings) == 1 else f"{len(self.ratings)} times"
        return f"rated {times}, last by run {last['run_id']} at {rfc3339(last['rated_at'])}"


def explain(connection: psycopg.Connection, auth_id: str, hour: datetime) -> UsageExplanation:
    """Read the explanation of a customer's hour; that of an unknown customer is empty."""
    hours = {"auth_id": auth_id, "window_start": hour, "window_end": hour + HOUR}
    return UsageExplanation(
        auth_id,
        hour,
        rows=_read(connection, "select_usage_rows", **hours),
        events=_read(connection, "select_usage_events", **hours),
        changes=_read(connection, "select_usage_changes", **hours),
        ratings=_read(connection, "select_hour_ratings", partition_key=hour_key(hour)),
    )


def is_customer(connection: psycopg.Connection, auth_id: str) -> bool:
    """Return whether any event or bill names the customer. Reads all events if none does."""
    ((found,),) = connection.execute(sql_files.load(PACKAGE, "select_is_customer"), {"auth_id": auth_id}).fetchall()
    return bool(found)


def billed_customers(connection: psycopg.Connection) -> list[str]:
    """Return the customers that have a bill, in order."""
    return [auth_id for (auth_id,) in connection.execute(sql_files.load(PACKAGE, "select_billed_customers"))]


def _read(connection: psycopg.Connection, query: str, **parameters: object) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(sql_files.load(PACKAGE, query), parameters).fetchall()


def _billed_line(row: Row) -> str:
    relation = "=" if row["adds_up"] else "IS NOT"
    return (
        f"  {row['model_id']} on {row['resource_id']}{_of_org(row['org_id'])}, {row['event_count']} events: "
        f"{row['billable_prompt_tokens']} x {row['prompt_rate']} + {row['cached_tokens']} cached x {row['cached_rate']} + "
        f"{row['completion_tokens']} completion x {row['completion_rate']} {relation} {row['cost']} USD"
    )


def _not_billed_line(group: Row) -> str:
    base = f" with base {group['base_model']}" if group["base_model"] is not None else ""
    where = f"{group['resource_id']}{_of_org(group['org_id'])}"
    return f"  not billed: {group['events']} events of {group['model']}{base} on {where}"


def _of_org(org_id: str | None) -> str:
    return f" of {org_id}" if org_id is not None else ""


def what_happened(change: Row) -> str:
    """Return what a change of the ledger did to a billed row: its costs, and its organisation if that changed."""
    happened = {
        "insert": "billed at {cost_after} USD",
        "change": "changed from {cost_before} to {cost_after} USD",
        "delete": "deleted at {cost_before} USD",
    }[change["kind"]].format_map(change)
    before, after = change["org_before"], change["org_after"]
    moved = change["kind"] == "change" and before != after
    return f"{happened}, organisation {before or 'none'} to {after or 'none'}" if moved else happened


def _change_line(change: Row) -> str:
    why = " (at other rates)" if change["kind"] == "change" and change["rates_changed"] else ""
    return (
        f"  {rfc3339(change['changed_at'])}: {change['model_id']} on {change['resource_id']} {what_happened(change)}{why}, "
        f"by {change['origin']} run {change['run_id']}, prices {change['price_digest'][:12]}"
    )
