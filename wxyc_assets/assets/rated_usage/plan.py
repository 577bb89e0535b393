"""The plan of a re-rate, as a person reads it before the money is moved: one table, hour by hour. Pure."""

from collections.abc import Mapping

from wxyc_assets.rated_usage.counters import Rated, summed

SHOWN_HOURS = 200
"""A table of more hours nobody reads, and every event of Dagster is a row in its storage; `wxyc run --plan` prints all."""

_HEADER = """\
| hour (UTC) | new | changed | gone | USD before | USD after | USD moved |
|---|---:|---:|---:|---:|---:|---:|"""

_UNBROKEN = "\N{NON-BREAKING HYPHEN}"
"""Of the column that can be broken the UI makes the narrowest, whatever room there is."""


def plan_markdown(hours: Mapping[str, Rated]) -> str:
    """Return what rating these hours would change: a row for each that would be another, and one for all of several."""
    changing = {hour: rated for hour, rated in sorted(hours.items()) if rated.counters.changes}
    if not changing:
        return f"Rating would change nothing: all hours ({len(hours)}) are what their events and prices come to."
    rows = [_row(hour, rated) for hour, rated in list(changing.items())[:SHOWN_HOURS]]
    if len(changing) > SHOWN_HOURS:
        rows.append(f"| and {len(changing) - SHOWN_HOURS} more | | | | | | |")
    if len(hours) > 1:
        rows.append(_row(f"all {len(hours)} hours", summed(hours.values())))
        rows += ["", f"{len(hours) - len(changing)} of the {len(hours)} hours would stay as they are."]
    return "\n".join([_HEADER, *rows])


def _row(hour: str, rated: Rated) -> str:
    rows = rated.counters
    counts = f"{rows.rows_inserted} | {rows.rows_changed} | {rows.reconciled_deletions}"
    moved = f"{'' if rated.cost_moved.nano < 0 else '+'}{rated.cost_moved}"
    return f"| {hour.replace('-', _UNBROKEN)} | {counts} | {rated.cost_before} | {rated.total_cost} | {moved} |"
