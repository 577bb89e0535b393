"""What a run is asked to do, and what it says came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from wxyc_assets.rated_usage.counters import Rated, summed
from wxyc_assets.rated_usage.ruling import Ruling, rule
from wxyc_assets.rated_usage.windows import HOUR, key, start_of, written
from wxyc_assets.recorded_run import by_partition
from wxyc_assets.run_origin import RunOrigin
from wxyc_assets.run_outcome import RunOutcome


@dataclass(frozen=True)
class Request:
    """What a run is asked to do.

    ``hours`` are partition keys, each once; ``trailing`` is how many closed hours must not be late. A dry run is the plan: it
    does the very same and rolls it back.
    """

    run_id: str
    origin: RunOrigin
    hours: Sequence[str]
    trailing: int
    dry_run: bool = False


@dataclass(frozen=True)
class HourDone:
    """An hour that was rated; in a plan, that was rated and rolled back. ``price_digest``: of the price file, SHA-256."""

    hour: str
    rated: Rated
    price_digest: str


@dataclass(frozen=True)
class HourMissed:
    """An hour that was not rated, and why; ``refused``: somebody else holds it."""

    hour: str
    reason: str
    refused: bool = False


@dataclass
class RunReport(RunOutcome[str]):
    """What a run did and what it thinks of it. ``failed``: why hours could not be rated, by hour."""

    PARTITION_NOUN: ClassVar[str] = "hour"

    request: Request
    done: dict[str, HourDone] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def add(self, outcome: HourDone | HourMissed) -> None:
        """Take note of what came of an hour."""
        if isinstance(outcome, HourDone):
            self.done[outcome.hour] = outcome
        else:
            (self.refused if outcome.refused else self.failed)[outcome.hour] = outcome.reason

    @property
    def broken(self) -> Mapping[str, str]:
        """Why hours could not be rated."""
        return self.failed

    @property
    def hours(self) -> dict[str, Rated]:
        """What each hour came to that was rated."""
        return {hour: done.rated for hour, done in self.done.items()}

    @property
    def total(self) -> Rated:
        """What all hours came to."""
        return summed(self.hours.values())

    @property
    def window(self) -> tuple[datetime, datetime]:
        """From the first hour that was asked for to the end of the last."""
        return start_of(min(self.request.hours)), start_of(max(self.request.hours)) + HOUR

    @property
    def window_text(self) -> str:
        """The window as log lines have it."""
        return written(*self.window)

    @property
    def ruling(self) -> Ruling:
        """What follows from deletions and anomalies."""
        counters = self.total.counters
        return rule(self.request.origin, deletions=counters.reconciled_deletions, anomalies=counters.anomalies)

    @property
    def could_not_work(self) -> str:
        """Why this run did not do its job, with ranges of hours that had the same problem; empty if it did."""
        stopped = by_partition(_in_ranges(self.problems), self.PARTITION_NOUN)
        return "; ".join(filter(None, (stopped, self.lost)))

    @property
    def plan(self) -> dict[str, Any]:
        """What a real run would do, for each hour and in total."""
        names = ("events", "rows_inserted", "rows_changed", "rows_unchanged", "reconciled_deletions", "total_cost")
        money = ("cost_before", "cost_raised", "cost_lowered", "cost_moved")

        def numbers(rated: Rated) -> dict[str, Any]:
            totals = rated.totals()
            return {name: totals[name] for name in names + money}

        return {
            "hours": {hour: numbers(rated) for hour, rated in sorted(self.hours.items())},
            "total": numbers(self.total),
        }


def _in_ranges(problems: Mapping[str, str]) -> dict[str, str]:
    """Name hours in a row with one problem by the first and the last of them: a window can have thousands."""
    ranges: list[tuple[str, str, str]] = []
    for hour, problem in sorted(problems.items()):
        if ranges and ranges[-1][2] == problem and key(start_of(ranges[-1][1]) + HOUR) == hour:
            ranges[-1] = (ranges[-1][0], hour, problem)
        else:
            ranges.append((hour, hour, problem))
    return {first if first == last else f"{first} to {last}": problem for first, last, problem in ranges}
