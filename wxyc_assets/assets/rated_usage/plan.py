"""The table that shows a plan in the UI: what rating would change, hour by hour. Pure."""

from collections.abc import Mapping

from wxyc_assets.assets.rated_usage.counters import RatingResult, sum_results

MAX_SHOWN_HOURS = 200
"""Hours in the table at most: it is stored in a row of Dagster's event log. `wxyc run --plan` prints all hours."""

_HEADER = """\
| hour (UTC) | new | changed | gone | USD before | USD after | USD moved |
|---|---:|---:|---:|---:|---:|---:|"""

_HYPHEN = "\N{NON-BREAKING HYPHEN}"
"""The UI makes a column that can be wrapped as narrow as possible, so the hours have no breaking hyphen."""


def plan_markdown(hours: Mapping[str, RatingResult]) -> str:
    """Return what rating these hours would change: a row for each hour with changes, and one for the total of several."""
    changing = {hour: rated for hour, rated in sorted(hours.items()) if rated.counters.changes}
    if not changing:
        return f"Rating would change nothing: all hours ({len(hours)}) already match their events and prices."
    rows = [_row(hour, rated) for hour, rated in list(changing.items())[:MAX_SHOWN_HOURS]]
    if len(changing) > MAX_SHOWN_HOURS:
        rows.append(f"| and {len(changing) - MAX_SHOWN_HOURS} more | | | | | | |")
    if len(hours) > 1:
        rows.append(_row(f"all {len(hours)} hours", sum_results(hours.values())))
        rows += ["", f"{len(hours) - len(changing)} of the {len(hours)} hours would not change."]
    return "\n".join([_HEADER, *rows])


def _row(hour: str, rated: RatingResult) -> str:
    rows = rated.counters
    counts = f"{rows.rows_inserted} | {rows.rows_changed} | {rows.reconciled_deletions}"
    moved = f"{'' if rated.cost_moved.nano < 0 else '+'}{rated.cost_moved}"
    return f"| {hour.replace('-', _HYPHEN)} | {counts} | {rated.cost_before} | {rated.total_cost} | {moved} |"
