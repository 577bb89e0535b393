"""A customer's bill as text."""

from collections.abc import Iterator

from wxyc_assets.assets.rated_usage.reports.bill import Bill, Coverage
from wxyc_assets.runs.partitions import hour_ranges

MAX_SHOWN = 20
"""Models, deployments and ranges of hours on a terminal; --json lists all."""


def bill_lines(bill: Bill) -> Iterator[str]:
    """Yield the totals of a bill, and whether the month is complete."""
    printed = bill.as_json()
    total = printed["total"]
    yield f"{bill.auth_id} is billed {total['cost']} USD for {bill.month}, {total['events']} events"
    for title, name in (
        ("by_model", "model_id"),
        ("by_deployment", "resource_id"),
        ("by_organisation", "org_id"),
        ("by_day", "day"),
    ):
        rows = [row for row in printed[title] if row[name] is not None]
        yield from (f"  {row['cost']:>20}  {row[name]}, {row['events']} events" for row in rows[: MAX_SHOWN * 2])
        if len(rows) > MAX_SHOWN * 2:
            yield f"  and {len(rows) - MAX_SHOWN * 2} more: --json lists all"
    yield from coverage_lines(bill.coverage)


def coverage_lines(coverage: Coverage) -> Iterator[str]:
    """Yield which hours of the month are not rated."""
    if coverage.closed < coverage.hours:
        yield f"{coverage.hours - coverage.closed} of the {coverage.hours} hours of the month have not closed yet"
    if coverage.unrated:
        ranges = [first if first == last else f"{first} to {last}" for first, last in hour_ranges(coverage.unrated)]
        more = f" and {len(ranges) - MAX_SHOWN} more ranges" if len(ranges) > MAX_SHOWN else ""
        yield f"WARN {len(coverage.unrated)} closed hours are not rated: {', '.join(ranges[:MAX_SHOWN])}{more}"
    elif coverage.closed:
        yield f"ok   all {coverage.closed} closed hours of the month are rated"
    if coverage.sealed:
        yield f"{coverage.sealed} of its {coverage.hours} hours are sealed"
    if coverage.unbilled:
        events = sum(row["events"] for row in coverage.unbilled)
        yield (
            f"WARN {events} events of {len(coverage.unbilled)} hours, of any customer, are not in any bill: "
            "`wxyc rated unbilled` lists them"
        )
