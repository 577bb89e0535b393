"""The request of a run, and the report of how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from wxyc_assets.assets.flowsheet_enrichment.counters import Counters, summed
from wxyc_assets.runs.counts import OutcomeTable
from wxyc_assets.runs.outcome import RunOutcome, ShardRequest

OUTCOMES = OutcomeTable(
    inputs="plays",
    meanings={
        "flipped": "marked as enriched",
        "overtaken": "another session changed it first",
        "locked": "another session had it locked; still pending",
        "writer_error": "the table refused it; quarantined",
    },
    nothing="no play waited",
)
"""How the UI describes the counters of a partition."""


@dataclass(frozen=True)
class Request(ShardRequest):
    """What a run is to do.

    ``lookback_s``: a DJ is live if a track was played within so many seconds; 0: the run never pauses. ``grace``: the age in
    which a play belongs to the station's enrichment worker.
    """

    lookback_s: int
    grace: timedelta


@dataclass(frozen=True)
class ShardDone:
    """A shard that was processed to its end, with its counts; ``run_paused_ms`` is how long its whole run paused for DJs."""

    shard: int
    counters: Counters
    run_paused_ms: int


@dataclass
class RunReport(RunOutcome[int]):
    """What a run did, and how it ended.

    Attributes:
        request: what the run was to do.
        tallied: the counts of each shard.
        untrusted: for each shard refused for it, how many answers of its latest album_metadata run had an unexpected index.
        stopped: why the drain over all shards stopped before its end, empty if it did not.
    """

    request: Request
    tallied: Mapping[int, Counters] = field(default_factory=dict)
    untrusted: dict[int, int] = field(default_factory=dict)
    stopped: str = ""

    @property
    def totals(self) -> Mapping[str, Any]:
        """The counts of all partitions under the contract's names."""
        return self.counters.stored()

    @property
    def shards(self) -> list[int]:
        """The shards that this run may work on."""
        return [shard for shard in sorted(self.request.shards) if shard not in self.refused]

    @property
    def counters(self) -> Counters:
        """The counts of all shards together."""
        return summed(self.tallied.values())

    @property
    def broken(self) -> dict[int, str]:
        """Why shards were not processed to their end: one drain processes all of them, so they share the reason."""
        return dict.fromkeys(self.shards, self.stopped) if self.stopped else {}
