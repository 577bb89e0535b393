"""The changes of billed rows as ``wxyc changes`` prints them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from wxyc_assets.assets.rated_usage.explain import what_happened
from wxyc_assets.assets.rated_usage.reports.changes import CAUSES, ChangeSums
from wxyc_assets.assets.rated_usage.reports.rows import Row, instant_text

MAX_SHOWN = 40
"""Changes and runs on a terminal; --csv and --json list all."""


@dataclass(frozen=True)
class ChangesView:
    """The changes that were made in [since, until), oldest first, and their sums."""

    since: datetime
    until: datetime
    changes: Sequence[Row]
    sums: ChangeSums

    @classmethod
    def of(cls, since: datetime, until: datetime, changes: Iterable[Row]) -> Self:
        """Read all changes and add them up."""
        read, sums = list(changes), ChangeSums()
        for change in read:
            sums.add(change)
        return cls(since, until, read, sums)

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command prints."""
        window = {"since": instant_text(self.since), "until": instant_text(self.until)}
        return {**window, **self.sums.as_json(), "changes": self.changes}

    def lines(self) -> Iterator[str]:
        """Return the sums and the first changes as text."""
        since = f"since {instant_text(self.since)}"
        if not self.changes:
            yield f"no billed row changed {since}"
            return
        yield f"{self.sums.total.text()} {since}"
        for cause, sums in self.sums.by_cause.items():
            yield f"  cause {CAUSES[cause]}: {sums.text()}"
        yield from _first(
            f"  {maker.origin} run {maker.run_id}, price file {maker.price_digest[:12]}, cause {CAUSES[maker.cause]}: "
            f"{sums.text()}"
            for maker, sums in self.sums.by_run.items()
        )
        yield from _first(map(_line, self.changes))


def _first(lines: Iterable[str]) -> Iterator[str]:
    """Yield the first lines, and how many there are more."""
    more = 0
    for place, line in enumerate(lines):
        if place < MAX_SHOWN:
            yield line
        else:
            more += 1
    if more:
        yield f"  and {more} more: --csv or --json lists all"


def _line(change: Row) -> str:
    return (
        f"{change['changed_at'][:19]}Z  {change['auth_id']} {change['window_start']} {change['model_id']} on "
        f"{change['resource_id']}: {what_happened(change)}, cause {CAUSES[change['cause']]}, run {change['run_id'][:8]}"
    )
