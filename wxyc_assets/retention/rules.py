"""How old what is removed must be, and what was removed. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

MIN_AGE_DAYS: Final = 14
"""Alerts are delivered and listed for a week after they close, LML's outages look back two days, and doctor and the rolling
checks one. Twice the longest of these leaves room for clocks that differ."""

Kind = Literal[
    "runs", "events", "check_evaluations", "run_logs", "backfills", "ticks", "tick_logs",
    "alerts", "replaced_albums", "answers", "tallies", "quarantine", "ledger_runs", "read_runs",
]  # fmt: skip

KINDS: Final[dict[Kind, str]] = {
    "runs": "runs of Dagster",
    "events": "events of runs",
    "check_evaluations": "evaluations of checks",
    "run_logs": "log files of runs",
    "backfills": "backfills",
    "ticks": "ticks of schedules and sensors",
    "tick_logs": "log files of ticks",
    "alerts": "closed alerts",
    "replaced_albums": "replaced album metadata",
    "answers": "answers of LML",
    "tallies": "tallies of runs",
    "quarantine": "inputs that were used again",
    "ledger_runs": "runs in our ledger",
    "read_runs": "runs that the alerts have read",
}
"""What is removed, in the order in which it is printed."""


class AgeError(ValueError):
    """The age of what is to be removed is no age, or is too small."""


@dataclass(frozen=True)
class Removed:
    """Rows or files of one kind that were removed, or that a dry run would remove."""

    kind: Kind
    count: int = 0
    size: int = 0


def parse_age(text: str) -> timedelta:
    """Read an age in days, such as ``90d``. Raises AgeError."""
    found = re.fullmatch(r"([0-9]{1,5})d", text.strip())
    if not found:
        raise AgeError(f"{text!r} is no age: give a number of days, such as 90d")
    days = int(found[1])
    if days < MIN_AGE_DAYS:
        raise AgeError(
            f"{days}d is too short, the shortest is {MIN_AGE_DAYS}d: checks and alerts read what is younger, "
            "and an alert is delivered and listed for a week after it closed"
        )
    return timedelta(days=days)


def totals(removed: Iterable[Removed]) -> list[Removed]:
    """Return the sum of each kind, in the order of the kinds, also of kinds of which there is nothing."""
    counts: dict[Kind, tuple[int, int]] = dict.fromkeys(KINDS, (0, 0))
    for one in removed:
        count, size = counts[one.kind]
        counts[one.kind] = count + one.count, size + one.size
    return [Removed(kind, *sums) for kind, sums in counts.items()]


def removed_lines(sums: Iterable[Removed]) -> Iterator[str]:
    """Yield a table of what was removed, without the kinds of which there was nothing, and its sum."""
    found = [one for one in sums if one.count]
    for one in found:
        yield f"{KINDS[one.kind]:<32} {one.count:>10}  {_megabytes(one.size):>12}"
    yield f"{'in all':<32} {sum(one.count for one in found):>10}  {_megabytes(sum(one.size for one in found)):>12}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.3f} MB"
