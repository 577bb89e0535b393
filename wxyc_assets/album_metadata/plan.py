"""What a run is about to ask: its batches, what they cost, and when the shared budget would be done with them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from wxyc_assets.album_metadata.counters import Counters
from wxyc_assets.pace import Forecast, Pace

IN_FLIGHT = 8
"""Batches that are asked, or wait to be written, at once."""


@dataclass(frozen=True)
class ShardPlan:
    """The pending albums of one shard: those to ask about, by ascending id, and how many are set aside."""

    album_ids: Sequence[int] = ()
    skipped_unresolvable: int = 0
    resting: int = 0

    @property
    def set_aside(self) -> Counters:
        """The counts of what is not asked about."""
        return Counters(
            scanned=self.skipped_unresolvable + self.resting,
            skipped_unresolvable=self.skipped_unresolvable,
            deferred=self.resting,
        )

    def batches(self, size: int) -> int:
        """Return how many batches the shard makes."""
        return -(-len(self.album_ids) // size)


@dataclass(frozen=True)
class Plan:
    """The pending albums of a run's shards, as of its beginning."""

    as_of: datetime
    batch_size: int
    shards: Mapping[int, ShardPlan] = field(default_factory=dict)

    @property
    def scanned(self) -> int:
        """Albums with a pending play, asked about or not."""
        return self.to_ask + sum(shard.set_aside.scanned for shard in self.shards.values())

    @property
    def to_ask(self) -> int:
        """Albums to ask about."""
        return sum(len(shard.album_ids) for shard in self.shards.values())

    @property
    def batches(self) -> int:
        """Batches of all shards together; a batch is a call."""
        return sum(shard.batches(self.batch_size) for shard in self.shards.values())

    def dry_counters(self, shard: int) -> Counters:
        """Return what a dry run counts in a shard."""
        plan = self.shards[shard]
        asked = len(plan.album_ids)
        return plan.set_aside.plus(scanned=asked, would_ask=asked, batches=plan.batches(self.batch_size))

    def dry_run_report(self, pace: Pace, forecast: Forecast) -> dict[str, Any]:
        """Return what a dry run reports; all numbers, so that the reports of several runs can be added up."""
        return {
            "scanned": self.scanned,
            "batches": self.batches,
            "calls": self.batches,
            "would_ask": self.to_ask,
            "would_skip_unresolvable": sum(shard.skipped_unresolvable for shard in self.shards.values()),
            "would_defer": sum(shard.resting for shard in self.shards.values()),
            "discogs_calls": round(pace.calls(self.to_ask), 3),
            "budget_backlog_s": round(forecast.backlog_s, 1),
            "budget_ours_s": round(forecast.ours_s, 1),
        }
