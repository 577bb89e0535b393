"""What must hold after a run of rated_usage, decided on its numbers. Pure."""

from collections.abc import Mapping, Sequence

from wxyc_assets.finding import Finding
from wxyc_assets.rated_usage.counters import Counters, Rated
from wxyc_assets.rated_usage.ruling import Ruling
from wxyc_assets.run_origin import RunOrigin

_SHOWN_HOURS = 5

_NOT_BILLED = {
    "unpriced_zero": ("unpriced_events", "events have no price: no model or base of theirs is in the price file"),
    "unattributable_zero": ("unattributable_events", "events have no customer, no deployment or no model"),
    "ambiguous_base_zero": (
        "ambiguous_base_events",
        "events of fine-tunes were left out, because a customer's events of one hour name different bases",
    ),
}


def of_events(hours: Mapping[str, Rated], total: Rated) -> list[Finding]:
    """Return what a run can say of the events it read, a plan too; ``hours`` by partition key, ``total`` of all of them."""
    return [
        _adds_up(hours, total.counters),
        *(_none_of(name, *what, total.counters) for name, what in _NOT_BILLED.items()),
        Finding(
            "work_without_charge",
            passed=not total.counters.uncharged_events,
            severity="WARN",
            numbers={"uncharged_events": total.counters.uncharged_events},
            description=(
                f"{total.counters.uncharged_events} events have tokens and cost nothing, at prices that are not 0 throughout"
                if total.counters.uncharged_events
                else ""
            ),
        ),
    ]


def of_hours(hours: Mapping[str, Rated], total: Rated, *, asked: int, without: int) -> Finding:
    """Prove that every hour has one outcome, and that the tables did what was decided, row for row and to the nano-dollar.

    ``asked`` hours the run was to rate, ``without`` of them could not be rated.
    """
    wrong = [f"{hour}: {problem}" for hour, rated in hours.items() if (problem := _rows_disagree(rated))]
    if len(hours) + without != asked:
        wrong.append(f"{asked} hours were asked for, {len(hours)} rated, {without} not")
    return Finding(
        "accounting_holds",
        passed=not wrong,
        numbers={
            "hours": asked,
            "hours_rated": len(hours),
            "rows": total.counters.rollups_written,
            "changes": total.counters.changes,
            "changes_kept": total.counters.changes_kept,
        },
        description=_first(wrong),
    )


def of_deletions(hours: Mapping[str, Rated], ruling: Ruling, origin: RunOrigin) -> Finding:
    """Look at the rows that the hours no longer produce."""
    deleted = {hour: count for hour, rated in hours.items() if (count := rated.counters.reconciled_deletions)}
    rows = sum(deleted.values())
    return Finding(
        "reconciled_deletions",
        passed=ruling.deletions_pass,
        numbers={"reconciled_deletions": rows, "origin": origin},
        description=(
            f"{rows} billed rows were deleted, because their hour no longer produces them; "
            "wxyc_assets.usage_change has each of them"
            if rows
            else ""
        ),
        partitions=sorted(deleted),
    )


def of_lateness(late: Sequence[str], *, trailing: int, origin: RunOrigin) -> Finding:
    """Look for hours that should have been rated by now, whatever this run rated; it fails a routine run only."""
    return Finding(
        "trailing_hours_rated",
        passed=not late,
        severity="ERROR" if origin == "routine" else "WARN",
        numbers={"late_hours": len(late), "trailing_hours": trailing},
        description=f"closed more than two hours ago and never rated: {_first(late)}" if late else "",
    )


def _adds_up(hours: Mapping[str, Rated], counters: Counters) -> Finding:
    wrong = [hour for hour, rated in hours.items() if not _partitioned(rated.counters)]
    return Finding(
        "anomalies_add_up",
        passed=not wrong,
        numbers={"events": counters.events, "events_rated": counters.events_rated, "anomalies": counters.anomalies},
        description=f"events have no outcome, or two, in {_first(wrong)}" if wrong else "",
    )


def _partitioned(counters: Counters) -> bool:
    return counters.events == counters.events_rated + counters.anomalies


def _none_of(name: str, counter: str, meaning: str, counters: Counters) -> Finding:
    count = getattr(counters, counter)
    return Finding(
        name,
        passed=count == 0,
        numbers={counter: count, "events": counters.events},
        description=f"{count} {meaning}" if count else "",
    )


def _rows_disagree(rated: Rated) -> str:
    """Say how the tables' own counts differ from what was decided, empty if they do not."""
    rows = rated.counters
    expected = {
        "rollups_written": rows.rows_inserted + rows.rows_changed + rows.rows_unchanged,
        "rows_before": rows.rows_changed + rows.rows_unchanged + rows.reconciled_deletions,
        "rows_written": rows.rows_inserted + rows.rows_changed,
        "rows_deleted": rows.reconciled_deletions,
        "changes_kept": rows.changes,
    }
    wrong = [
        f"{name} is {getattr(rows, name)} instead of {count}"
        for name, count in expected.items()
        if getattr(rows, name) != count
    ]
    if rated.cost_before + rated.cost_moved != rated.total_cost:
        wrong.append(f"{rated.cost_before} and {rated.cost_moved} are not {rated.total_cost} USD")
    return ", ".join(wrong)


def _first(texts: Sequence[str]) -> str:
    shown = "; ".join(texts[:_SHOWN_HOURS])
    return shown if len(texts) <= _SHOWN_HOURS else f"{shown}; and {len(texts) - _SHOWN_HOURS} more"
