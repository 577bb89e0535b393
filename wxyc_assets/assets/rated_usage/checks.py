"""The checks of rated_usage: what each promises, and how a run's numbers decide it. Pure."""

from collections.abc import Mapping, Sequence

from wxyc_assets.assets.rated_usage.counters import Counters, RatingResult, sum_results
from wxyc_assets.assets.rated_usage.deletion_policy import PolicyDecision
from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.assets.rated_usage.unbilled.usage import UNRATED
from wxyc_assets.runs.findings import Check, Finding
from wxyc_assets.runs.origin import RunOrigin
from wxyc_assets.runs.partitions import HOUR, hour_start, rfc3339

HOURS_RATED = "trailing_hours_rated"
_MAX_NAMED_HOURS = 5
_MAX_NAMED_MODELS = 5

_NOT_BILLED = {
    "unpriced_zero": ("unpriced_events", "events have no price: no model or base of theirs is in the price file"),
    "unattributable_zero": ("unattributable_events", "events have no customer, no deployment or no model"),
    "ambiguous_base_zero": (
        "ambiguous_base_events",
        "events of fine-tunes were left out, because a customer's events of one hour name different bases",
    ),
    "ambiguous_org_zero": (
        "ambiguous_org_events",
        "events were left out, because a customer's events of one hour name different organisations",
    ),
}

CHECKS = (
    Check(
        "anomalies_add_up",
        "Every event of an hour is either billed or counted once as an event that could not be billed.",
    ),
    Check("unpriced_zero", "Every event has a price."),
    Check("unattributable_zero", "Every event has a customer, a deployment and a model."),
    Check("ambiguous_base_zero", "All events of a customer for one fine-tune in one hour name the same base."),
    Check(
        "ambiguous_org_zero",
        "All events of a customer for one deployment and model in one hour name the same organisation, or none.",
    ),
    Check(
        "price_changed",
        "A routine run met no hour that was billed with another price file and would cost something else now.",
    ),
    Check(
        "sealed_hours_stand",
        "Rating would change nothing in the sealed hours of the run. It never changes them: `wxyc seal` can open them again.",
    ),
    Check("negative_tokens_zero", "No billed row has an event with a negative number of tokens."),
    Check("work_without_charge", "Every event with tokens costs something, unless all rates of its model are 0."),
    Check(
        "accounting_holds",
        "Every hour has one outcome, and the tables changed exactly as computed, row for row and to the nano-dollar.",
    ),
    Check(
        "reconciled_deletions", "A routine run deleted no billed row. An explicit run may delete rows.", blocking=True
    ),
    Check(
        HOURS_RATED,
        "Every trailing hour that closed more than two hours ago has been rated, by whichever run.",
        scope="watched",
        stored=True,
    ),
    Check(
        UNRATED,
        "Every event outside the trailing hours was seen by the last rating of its hour, or accepted by an operator.",
        scope="asset",
        stored=True,
    ),
)


def of_events(hours: Mapping[str, RatingResult], total: RatingResult) -> list[Finding]:
    """Return the findings on the events, for a plan too. ``hours``: results by partition key; ``total``: their sum."""
    return [
        _events_add_up(hours, total.counters),
        *(_none_of(name, *what, hours, total.counters) for name, what in _NOT_BILLED.items()),
        _no_negative_tokens(hours, total),
        Finding(
            "work_without_charge",
            passed=not total.counters.uncharged_events,
            severity="WARN",
            numbers={"uncharged_events": total.counters.uncharged_events},
            description=(
                f"{total.counters.uncharged_events} events with tokens cost nothing, although their model has a rate above 0"
                if total.counters.uncharged_events
                else ""
            ),
        ),
    ]


def of_seals(adjustments: Mapping[str, RatingResult]) -> Finding:
    """Check that rating would change nothing in sealed hours. ``adjustments``: what it would change, by hour."""
    total = sum_results(adjustments.values())
    moved = f"{'' if total.cost_moved.nano < 0 else '+'}{total.cost_moved}"
    return Finding(
        "sealed_hours_stand",
        passed=not adjustments,
        severity="WARN",
        numbers={
            "adjusted_hours": len(adjustments),
            "adjusted_rows": total.counters.changes,
            "adjusted_cost": str(total.cost_moved),
        },
        description=(
            f"{len(adjustments)} sealed hours keep their bills, which their events and prices would change by "
            f"{total.counters.changes} rows and {moved} USD: {_name_first(sorted(adjustments))}"
            if adjustments
            else ""
        ),
        partitions=sorted(adjustments),
        by_partition={hour: rated.counters.changes for hour, rated in sorted(adjustments.items())},
    )


def of_hours(hours: Mapping[str, RatingResult], total: RatingResult, *, asked: int, without: int) -> Finding:
    """Check that every hour has one outcome, and that the tables changed exactly as computed.

    ``asked``: how many hours the run was to rate. ``without``: how many of them it could not rate.
    """
    wrong = [f"{hour}: {problem}" for hour, rated in hours.items() if (problem := _rows_disagree(rated))]
    if len(hours) + without != asked:
        wrong.append(f"{asked} hours were requested, {len(hours)} rated, {without} not")
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
        description=_name_first(wrong),
    )


def of_deletions(hours: Mapping[str, RatingResult], policy_decision: PolicyDecision, origin: RunOrigin) -> Finding:
    """Check the deletions of rows that their hours no longer produce."""
    deleted = {hour: count for hour, rated in hours.items() if (count := rated.counters.reconciled_deletions)}
    rows = sum(deleted.values())
    return Finding(
        "reconciled_deletions",
        passed=policy_decision.deletions_pass,
        numbers={"reconciled_deletions": rows, "origin": origin},
        description=(
            f"{rows} billed rows were deleted, because their hour no longer produces them; "
            "wxyc_assets.usage_change has each of them"
            if rows
            else ""
        ),
        partitions=sorted(deleted),
        by_partition=deleted,
    )


def of_prices(
    hours: Mapping[str, RatingResult], held_back: Mapping[str, RatingResult], *, origin: RunOrigin
) -> Finding:
    """Check that no bill moved because of another price file, and that none is held back. An explicit run may move bills.

    ``held_back``: what the prices in force would change in the hours that keep their own.
    """
    moved = {hour: rated for hour, rated in hours.items() if rated.counters.rows_repriced}
    held = {hour: rated for hour, rated in held_back.items() if rated.counters.changes}
    total, would = sum_results(moved.values()), sum_results(held.values())
    parts = []
    if moved:
        rows = total.counters.rows_repriced
        parts.append(f"the price file moved {rows} rows of {len(moved)} hours: {_by_model(total)}")
    if held:
        since, until = hour_start(min(held)), hour_start(max(held)) + HOUR
        parts.append(
            f"{len(held)} hours keep the prices they were billed with; the price file in force would move "
            f"{would.counters.changes} rows: {_by_model(would)}; "
            f"`wxyc run rated_usage --since {rfc3339(since)} --until {rfc3339(until)}` rates the window with it"
        )
    return Finding(
        "price_changed",
        passed=not held and (not moved or origin == "explicit"),
        severity="WARN",
        numbers={
            "rows_repriced": total.counters.rows_repriced,
            "cost_repriced": str(sum(total.moved_by_prices.values(), start=Usd())),
            "hours_held": len(held),
            "cost_held_back": str(would.cost_moved),
        },
        description="; ".join(parts),
        partitions=sorted({**moved, **held}),
        by_partition={
            hour: sum(
                (
                    moved[hour].counters.rows_repriced if hour in moved else 0,
                    held[hour].counters.changes if hour in held else 0,
                )
            )
            for hour in sorted({**moved, **held})
        },
    )


def _by_model(rated: RatingResult) -> str:
    """Name the models with the most money moved, and how much."""
    moved = sorted(rated.moved_by_prices.items(), key=lambda item: (-abs(item[1].nano), item[0]))
    shown = ", ".join(f"{model} {'+' if cost.nano >= 0 else ''}{cost} USD" for model, cost in moved[:_MAX_NAMED_MODELS])
    more = f" and {len(moved) - _MAX_NAMED_MODELS} more models" if len(moved) > _MAX_NAMED_MODELS else ""
    return f"{shown}{more}" if moved else f"{rated.cost_moved} USD"


def of_lateness(late: Sequence[str], *, trailing: int, origin: RunOrigin) -> Finding:
    """Check that no hour is late, whichever run was to rate it. For an explicit run a failure is only a warning."""
    return Finding(
        HOURS_RATED,
        passed=not late,
        severity="ERROR" if origin == "routine" else "WARN",
        numbers={"late_hours": len(late), "trailing_hours": trailing},
        description=f"closed more than two hours ago and never rated: {_name_first(late)}" if late else "",
    )


def _events_add_up(hours: Mapping[str, RatingResult], counters: Counters) -> Finding:
    wrong = [hour for hour, rated in hours.items() if not _partitioned(rated.counters)]
    return Finding(
        "anomalies_add_up",
        passed=not wrong,
        numbers={"events": counters.events, "events_rated": counters.events_rated, "anomalies": counters.anomalies},
        description=f"events have no outcome, or two outcomes, in {_name_first(wrong)}" if wrong else "",
    )


def _partitioned(counters: Counters) -> bool:
    return counters.events == counters.events_rated + counters.anomalies


def _no_negative_tokens(hours: Mapping[str, RatingResult], total: RatingResult) -> Finding:
    rows = total.counters.negative_rows
    named = "; ".join(total.negative_named)
    return Finding(
        "negative_tokens_zero",
        passed=rows == 0,
        numbers={"negative_rows": rows},
        description=f"{rows} rows have events with negative tokens: {named}" if rows else "",
        by_partition={
            hour: rated.counters.negative_rows for hour, rated in hours.items() if rated.counters.negative_rows
        },
    )


def _none_of(name: str, counter: str, meaning: str, hours: Mapping[str, RatingResult], counters: Counters) -> Finding:
    count = getattr(counters, counter)
    by_hour = {hour: getattr(rated.counters, counter) for hour, rated in hours.items()}
    return Finding(
        name,
        passed=count == 0,
        numbers={counter: count, "events": counters.events},
        description=f"{count} {meaning}" if count else "",
        by_partition={hour: found for hour, found in by_hour.items() if found},
    )


def _rows_disagree(rated: RatingResult) -> str:
    """Return how the tables' own counts differ from the computed ones, empty if they do not."""
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
        wrong.append(f"{rated.cost_before} plus {rated.cost_moved} is not {rated.total_cost} USD")
    return ", ".join(wrong)


def _name_first(texts: Sequence[str]) -> str:
    shown = "; ".join(texts[:_MAX_NAMED_HOURS])
    return shown if len(texts) <= _MAX_NAMED_HOURS else f"{shown}; and {len(texts) - _MAX_NAMED_HOURS} more"
