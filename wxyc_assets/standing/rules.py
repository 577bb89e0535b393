"""How the partitions of an asset stand, from when each was last done and last missed. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from wxyc_assets.freshness import FRESHNESS

State = Literal["fresh", "late", "failed", "never_built"]


@dataclass(frozen=True)
class Past:
    """When a run last credited a partition, and when one last failed to; None: never."""

    credited_at: datetime | None = None
    credited_run: str | None = None
    missed_at: datetime | None = None

    @property
    def failed(self) -> bool:
        """Whether the last run that was to do it did not."""
        return self.missed_at is not None and (self.credited_at is None or self.credited_at < self.missed_at)


@dataclass(frozen=True)
class Standing:
    """How one asset stands at an instant.

    ``states`` has every partition once; failed is said before late. ``late``: since when each late partition is, also of those
    that failed. ``last_good``: the run that credited a partition last, and when. ``oldest_row_at``: see ``store.OLDEST_ROWS``.
    """

    asset: str
    at: datetime
    states: Mapping[str, State]
    late: Mapping[str, datetime] = field(default_factory=dict)
    last_good: tuple[str, datetime] | None = None
    oldest_row_at: datetime | None = None

    def count(self, state: State) -> int:
        """Return how many partitions stand so."""
        return sum(each == state for each in self.states.values())

    def named(self, state: State) -> list[str]:
        """Return the partitions that stand so, in order."""
        return [key for key, each in self.states.items() if each == state]

    @property
    def overdue(self) -> bool:
        """Whether a partition has been late for longer than its asset's patience."""
        patience = FRESHNESS[self.asset].patience
        return any(self.at - since > patience for since in self.late.values())


def stand(
    asset: str, keys: Iterable[str], pasts: Mapping[str, Past], late: Mapping[str, datetime], at: datetime
) -> Standing:
    """Say how the partitions ``keys`` of an asset stand.

    Args:
        asset: its name, in ``freshness.FRESHNESS``.
        keys: every partition there is, in order.
        pasts: of those that any run was to do.
        late: since when partitions are late, as the asset has it.
        at: now.
    """
    nothing = Past()
    states = {key: _state(pasts.get(key, nothing), is_late=key in late) for key in keys}
    good = [past for past in pasts.values() if past.credited_at and past.credited_run]
    latest = max(good, key=lambda past: str(past.credited_at), default=None)
    return Standing(
        asset=asset,
        at=at,
        states=states,
        late=late,
        last_good=(str(latest.credited_run), latest.credited_at) if latest and latest.credited_at else None,
    )


def aged(asset: str, pasts: Mapping[str, Past], at: datetime) -> dict[str, datetime]:
    """Return since when partitions are late that are to be done again after the time that their asset has."""
    warn_after = FRESHNESS[asset].warn_after
    return {
        key: past.credited_at + warn_after
        for key, past in pasts.items()
        if past.credited_at and past.credited_at + warn_after < at
    }


def latest(pasts: Iterable[Past]) -> Past:
    """Take partitions together of which only the newest can be done: what was last credited, and last missed."""
    past = Past()
    for each in pasts:
        if each.credited_at and (past.credited_at is None or past.credited_at < each.credited_at):
            past = Past(each.credited_at, each.credited_run, past.missed_at)
        if each.missed_at and (past.missed_at is None or past.missed_at < each.missed_at):
            past = Past(past.credited_at, past.credited_run, each.missed_at)
    return past


def _state(past: Past, *, is_late: bool) -> State:
    if past.failed:
        return "failed"
    if is_late:
        return "late"
    return "fresh" if past.credited_at else "never_built"
