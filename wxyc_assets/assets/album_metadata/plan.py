"""The plan of a run: its batches, what they cost, and when the shared budget can have served them. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from wxyc_assets.assets.album_metadata.counters import Counters
from wxyc_assets.assets.album_metadata.verdicts import Name
from wxyc_assets.runs.discogs_rate import DiscogsRate, Forecast

IN_FLIGHT = 8
"""Batches that are in flight or wait to be written at once."""


@dataclass(frozen=True)
class ShardPlan:
    """The pending albums of one shard.

    Attributes:
        album_ids: the albums to ask LML about, by ascending id.
        skipped_unresolvable: how many have no artist or are flagged as unavailable.
        resting: how many had no match within the retry period, or wait in quarantine.
        repeats: the albums to ask about whose names an earlier album of the run has: they share its answer.
    """

    album_ids: Sequence[int] = ()
    skipped_unresolvable: int = 0
    resting: int = 0
    repeats: Collection[int] = frozenset()

    @property
    def not_asked(self) -> Counters:
        """The counts of the albums that the run does not ask about."""
        return Counters(
            scanned=self.skipped_unresolvable + self.resting,
            skipped_unresolvable=self.skipped_unresolvable,
            deferred=self.resting,
        )

    def batches(self, size: int) -> int:
        """Return how many batches of this size the shard has."""
        return -(-len(self.album_ids) // size)

    def questions(self, first: int = 0, size: int | None = None) -> int:
        """Return how many questions LML is asked about ``size`` albums from the ``first`` on, by default about all."""
        chunk = self.album_ids[first : first + size] if size else self.album_ids[first:]
        return sum(album_id not in self.repeats for album_id in chunk)

    def calls(self, size: int) -> int:
        """Return how many batches of this size hold a question."""
        return sum(self.questions(first, size) > 0 for first in range(0, len(self.album_ids), size))


def repeated_albums(shards: Iterable[Sequence[int]], names: Mapping[int, Name]) -> frozenset[int]:
    """Return the albums that have the names of an earlier one, in the order in which a run asks about its shards."""
    seen: set[Name] = set()
    repeats: set[int] = set()
    for album_id in chain.from_iterable(shards):
        if names[album_id] in seen:
            repeats.add(album_id)
        seen.add(names[album_id])
    return frozenset(repeats)


@dataclass(frozen=True)
class Plan:
    """The pending albums of a run's shards when it started; ``repeated_names`` are those that several of them have."""

    as_of: datetime
    batch_size: int
    shards: Mapping[int, ShardPlan] = field(default_factory=dict)
    repeated_names: Collection[Name] = frozenset()

    @property
    def scanned(self) -> int:
        """Albums with a pending play, asked about or not."""
        return self.to_ask + sum(shard.not_asked.scanned for shard in self.shards.values())

    @property
    def to_ask(self) -> int:
        """Albums to ask about."""
        return sum(len(shard.album_ids) for shard in self.shards.values())

    @property
    def questions(self) -> int:
        """The questions to ask: albums with equal names are one."""
        return sum(shard.questions() for shard in self.shards.values())

    @property
    def batches(self) -> int:
        """The batches of all shards; each is one call at most."""
        return sum(shard.batches(self.batch_size) for shard in self.shards.values())

    @property
    def calls(self) -> int:
        """The calls of all shards."""
        return sum(shard.calls(self.batch_size) for shard in self.shards.values())

    def dry_counters(self, shard: int) -> Counters:
        """Return the counters of a shard in a dry run."""
        plan = self.shards[shard]
        asked = len(plan.album_ids)
        return plan.not_asked.plus(scanned=asked, would_ask=asked, batches=plan.batches(self.batch_size))

    def dry_run_report(self, discogs_rate: DiscogsRate, forecast: Forecast) -> dict[str, Any]:
        """Return the report of a dry run. It holds only numbers, so that the reports of several runs can be added up."""
        return {
            "scanned": self.scanned,
            "batches": self.batches,
            "calls": self.calls,
            "would_ask": self.to_ask,
            "would_skip_unresolvable": sum(shard.skipped_unresolvable for shard in self.shards.values()),
            "would_defer": sum(shard.resting for shard in self.shards.values()),
            "discogs_calls": round(discogs_rate.calls(self.questions), 3),
            "budget_backlog_s": round(forecast.backlog_s, 1),
            "budget_ours_s": round(forecast.ours_s, 1),
        }
