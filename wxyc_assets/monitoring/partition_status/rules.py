"""The status of an asset's partitions, from when each was last credited and last missed. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from wxyc_assets.assets.registry import BY_NAME

State = Literal["fresh", "late", "failed", "never_built"]


@dataclass(frozen=True)
class PartitionHistory:
    """When a run last credited a partition, and when a run that planned it last failed to; None: never.

    ``credited_event`` and ``missed_event``: which came last, by the order of Dagster's storage. Clocks of hosts can differ.
    """

    credited_at: datetime | None = None
    credited_run: str | None = None
    missed_at: datetime | None = None
    credited_event: int = 0
    missed_event: int = 0

    @property
    def failed(self) -> bool:
        """Whether the last run that planned the partition did not credit it."""
        if self.missed_at is None or self.credited_at is None:
            return self.missed_at is not None
        return (self.credited_event, self.credited_at) < (self.missed_event, self.missed_at)


@dataclass(frozen=True)
class AssetStatus:
    """The status of one asset at an instant.

    Attributes:
        asset: its name, in ``registry.BY_NAME``.
        at: the instant.
        states: every partition once; a partition that is failed and late counts as failed.
        late_since: since when each late partition is late, including those that are failed.
        credited_at: when a partition was last credited.
        last_good: the last run that did all of its work without an anomaly, and when it ended.
        waiting_since: since when the oldest input waits that a run would take; ``registry.AssetInfo.input_noun`` names it.
    """

    asset: str
    at: datetime
    states: Mapping[str, State]
    late_since: Mapping[str, datetime] = field(default_factory=dict)
    credited_at: datetime | None = None
    last_good: tuple[str, datetime] | None = None
    waiting_since: datetime | None = None

    def count(self, state: State) -> int:
        """Return how many partitions are in a state."""
        return sum(each == state for each in self.states.values())

    def partitions_in(self, state: State) -> list[str]:
        """Return the partitions that are in a state, in order."""
        return [key for key, each in self.states.items() if each == state]

    @property
    def overdue(self) -> bool:
        """Whether a partition has been late for longer than the tolerance of its asset."""
        tolerance = BY_NAME[self.asset].freshness.tolerance
        return any(self.at - since > tolerance for since in self.late_since.values())


def asset_status(
    asset: str,
    keys: Iterable[str],
    histories: Mapping[str, PartitionHistory],
    late_since: Mapping[str, datetime],
    at: datetime,
) -> AssetStatus:
    """Return the status of an asset.

    Args:
        asset: its name, in ``registry.BY_NAME``.
        keys: every partition, in order.
        histories: by partition; those that no run ever planned are missing.
        late_since: since when the late partitions are late.
        at: now.
    """
    never = PartitionHistory()
    states = {key: _state(histories.get(key, never), is_late=key in late_since) for key in keys}
    credited_at = max((one.credited_at for one in histories.values() if one.credited_at), default=None)
    return AssetStatus(asset=asset, at=at, states=states, late_since=late_since, credited_at=credited_at)


def late_by_age(asset: str, histories: Mapping[str, PartitionHistory], at: datetime) -> dict[str, datetime]:
    """Return the partitions whose last credit is older than the warn window of their asset, and since when they are late."""
    warn_after = BY_NAME[asset].freshness.warn_after
    return {
        key: history.credited_at + warn_after
        for key, history in histories.items()
        if history.credited_at and history.credited_at + warn_after < at
    }


def newest(histories: Iterable[PartitionHistory]) -> PartitionHistory:
    """Merge partitions of which only the newest can be run: the last credit of all, and the last miss of all."""
    merged = PartitionHistory()
    for each in histories:
        if each.credited_at and (merged.credited_at is None or merged.credited_at < each.credited_at):
            credit = {name: getattr(each, name) for name in ("credited_at", "credited_run", "credited_event")}
            merged = replace(merged, **credit)
        if each.missed_at and (merged.missed_at is None or merged.missed_at < each.missed_at):
            merged = replace(merged, missed_at=each.missed_at, missed_event=each.missed_event)
    return merged


def _state(history: PartitionHistory, *, is_late: bool) -> State:
    if history.failed:
        return "failed"
    if is_late:
        return "late"
    return "fresh" if history.credited_at else "never_built"
