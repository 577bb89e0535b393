"""The customers with the highest costs of an hour, as the UI shows and plots them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.runs.partitions import hour_start, rfc3339

_HEADER = """\
| customer | events | USD |
|---|---:|---:|"""


@dataclass(frozen=True)
class CustomerCost:
    """What one customer is billed for an hour."""

    auth_id: str
    events: int
    cost: Usd


def read_customers(rows: Sequence[Mapping[str, Any]] | None) -> tuple[CustomerCost, ...]:
    """Read what ``rate_hour`` returns, the highest cost first."""
    return tuple(CustomerCost(row["auth_id"], row["events"], Usd.parse(row["cost"])) for row in rows or ())


def customers_markdown(customers: Sequence[CustomerCost], hour: str) -> str:
    """Return the table of an hour's customers, and the commands that explain its numbers."""
    if not customers:
        return "No customer is billed for this hour."
    rows = [f"| {_cell(one.auth_id)} | {one.events} | {one.cost} |" for one in customers]
    start = hour_start(hour)
    commands = (
        f"`wxyc why usage --auth A --hour {rfc3339(start)}` explains a row; "
        f"`wxyc bill --auth A --month {start:%Y-%m}` adds up the month."
    )
    return "\n".join([_HEADER, *rows, "", commands])


def customer_plots(customers: Sequence[CustomerCost]) -> dict[str, float]:
    """Return the cost of each customer in USD by the name of its plot: the nearest float, because the UI plots only floats."""
    return {f"cost_usd of {one.auth_id or '(empty)'}": float(str(one.cost)) for one in customers}


def _cell(auth_id: str) -> str:
    """Return a customer's key as it stands in a table: nothing in it is markup."""
    text = "".join(f"\\{letter}" if letter in r"\`*_{}[]<>()#+-.!|~" else letter for letter in auth_id)
    return " ".join(text.split()) or "(empty)"
