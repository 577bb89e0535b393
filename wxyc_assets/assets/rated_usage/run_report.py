"""The request of a run, and the report of how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from wxyc_assets.assets.rated_usage.counters import RatingResult, sum_results
from wxyc_assets.assets.rated_usage.deletion_policy import PolicyDecision, decide
from wxyc_assets.assets.rated_usage.unpushed import PushWindow
from wxyc_assets.runs.counts import OutcomeTable
from wxyc_assets.runs.lifecycle import by_partition
from wxyc_assets.runs.outcome import RunOutcome, RunRequest
from wxyc_assets.runs.partitions import FIRST_HOUR, HOUR, hour_key, hour_start, window_text

OUTCOMES = OutcomeTable(
    inputs="count",
    meanings={
        "events_rated": "events billed",
        "unpriced_events": "events without a price",
        "unattributable_events": "events without customer, deployment or model",
        "ambiguous_base_events": "events of a fine-tune with two bases",
        "ambiguous_org_events": "events of two organisations",
        "rows_inserted": "rows inserted",
        "rows_changed": "rows changed",
        "rows_unchanged": "rows that were already right",
        "reconciled_deletions": "rows deleted",
    },
    nothing="no usage",
)
"""How the UI describes the counters of a partition."""


SEALED = "sealed, and keeps its bill, which rating would change"


@dataclass(frozen=True)
class Request(RunRequest):
    """What a run is to do.

    ``hours``: distinct partition keys. ``trailing``: how many closed hours since ``billing_start`` must not be late.
    ``hold_prices``: whether a routine run keeps hours at the prices they were billed with. ``named_prices``: whether an
    operator named the prices, which then hold for every hour. A dry run is a plan: it does the same and rolls it back.
    """

    hours: Sequence[str]
    trailing: int
    billing_start: datetime = FIRST_HOUR
    hold_prices: bool = False
    named_prices: bool = False

    @property
    def partitions(self) -> list[str]:
        """The hours, in order."""
        return sorted(self.hours)


@dataclass(frozen=True)
class HourDone:
    """An hour that was rated, and in a plan rolled back. ``price_digest``: SHA-256 of the price file.

    ``held_back``: what the prices in force would change in an hour that keeps its own; None: it has the prices in force.
    """

    hour: str
    rated: RatingResult
    price_digest: str
    held_back: RatingResult | None = None


@dataclass(frozen=True)
class HourSealed:
    """A sealed hour that was not rated: ``adjustment`` is what rating it would change."""

    hour: str
    adjustment: RatingResult


@dataclass(frozen=True)
class HourMissed:
    """An hour that was not rated, and why. ``refused``: another run holds its lock."""

    hour: str
    reason: str
    refused: bool = False


@dataclass
class RunReport(RunOutcome[str]):
    """What a run did.

    ``failed``: why hours could not be rated, by hour. ``sealed``: what rating would change in sealed hours, which keep their
    bills. ``push_needed``: the windows whose changed bills have not been posted.
    """

    PARTITION_NOUN: ClassVar[str] = "hour"

    request: Request
    done: dict[str, HourDone] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    sealed: dict[str, RatingResult] = field(default_factory=dict)
    push_needed: Sequence[PushWindow] = ()

    @property
    def follow_up(self) -> Mapping[str, Any]:
        """The windows for which token-push has to be run, and the adjustments of sealed hours."""
        push_needed = [window.as_json() for window in self.push_needed]
        adjustments = [
            {"hour": hour, "rows": rated.counters.changes, "cost_moved": rated.cost_moved}
            for hour, rated in sorted(self.sealed.items())
        ]
        found = {"push_needed": push_needed, "adjustments": adjustments}
        return {name: listed for name, listed in found.items() if listed}

    @property
    def totals(self) -> Mapping[str, Any]:
        """The counts of all partitions under the contract's names."""
        return self.total.totals()

    def add(self, outcome: HourDone | HourMissed | HourSealed) -> None:
        """Add the outcome of an hour; an hour in which a routine run deleted a billed row fails its blocking check."""
        if isinstance(outcome, HourDone):
            self.done[outcome.hour] = outcome
            deletions = outcome.rated.counters.reconciled_deletions
            if not (self.dry_run or decide(self.request.origin, deletions=deletions, anomalies=0).deletions_pass):
                self.unvouched[outcome.hour] = "reconciled_deletions"
        elif isinstance(outcome, HourSealed):
            self.sealed[outcome.hour] = outcome.adjustment
        else:
            (self.refused if outcome.refused else self.failed)[outcome.hour] = outcome.reason

    def can_credit(self, done: HourDone) -> bool:
        """Return whether the hour is to be credited: committed, and without a failed blocking check."""
        return not (self.dry_run or done.hour in self.unvouched)

    @property
    def broken(self) -> Mapping[str, str]:
        """Why hours could not be rated."""
        return self.failed

    @property
    def uncredited(self) -> Mapping[str, str]:
        """The sealed hours that rating would change."""
        return dict.fromkeys(self.sealed, SEALED)

    @property
    def hours(self) -> dict[str, RatingResult]:
        """The result of each hour that was rated."""
        return {hour: done.rated for hour, done in self.done.items()}

    @property
    def held_back(self) -> dict[str, RatingResult]:
        """What the prices in force would change in the hours that keep their own."""
        return {hour: done.held_back for hour, done in self.done.items() if done.held_back is not None}

    @property
    def total(self) -> RatingResult:
        """The result of all hours together."""
        return sum_results(self.hours.values())

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The start of the first requested hour and the end of the last."""
        return hour_start(min(self.request.hours)), hour_start(max(self.request.hours)) + HOUR

    @property
    def window_text(self) -> str:
        """The window as text for log lines."""
        return window_text(*self.window)

    @property
    def policy_decision(self) -> PolicyDecision:
        """The decision that follows from the deletions and anomalies of all hours."""
        counters = self.total.counters
        return decide(self.request.origin, deletions=counters.reconciled_deletions, anomalies=counters.anomalies)

    @property
    def failure_reason(self) -> str:
        """Why this run did not do its job, with ranges of hours that had the same problem; empty if it did."""
        stopped = by_partition(_in_ranges({**self.refused, **self.failed}), self.PARTITION_NOUN)
        return "; ".join(filter(None, (stopped, self.lost)))

    @property
    def plan(self) -> dict[str, Any]:
        """What a real run would do, for each hour and in total."""
        names = ("events", "rows_inserted", "rows_changed", "rows_unchanged", "reconciled_deletions", "total_cost")
        money = ("cost_before", "cost_raised", "cost_lowered", "cost_moved")

        def numbers(rated: RatingResult) -> dict[str, Any]:
            totals = rated.totals()
            return {name: totals[name] for name in names + money}

        return {
            "hours": {hour: numbers(rated) for hour, rated in sorted(self.hours.items())},
            "total": numbers(self.total),
            **(
                {"sealed_hours": {hour: numbers(rated) for hour, rated in sorted(self.sealed.items())}}
                if self.sealed
                else {}
            ),
        }


def _in_ranges(problems: Mapping[str, str]) -> dict[str, str]:
    """Merge consecutive hours with the same problem into ranges: a window can have thousands of hours."""
    ranges: list[tuple[str, str, str]] = []
    for hour, problem in sorted(problems.items()):
        if ranges and ranges[-1][2] == problem and hour_key(hour_start(ranges[-1][1]) + HOUR) == hour:
            ranges[-1] = (ranges[-1][0], hour, problem)
        else:
            ranges.append((hour, hour, problem))
    return {first if first == last else f"{first} to {last}": problem for first, last, problem in ranges}
