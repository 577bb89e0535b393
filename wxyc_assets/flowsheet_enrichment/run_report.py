"""What a run is asked to do, and what it says came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wxyc_assets.flowsheet_enrichment.counters import Counters, summed
from wxyc_assets.run_origin import RunOrigin
from wxyc_assets.run_outcome import RunOutcome


@dataclass(frozen=True)
class Request:
    """What a run is asked to do. ``lookback_s``: a track played within so many seconds means a live DJ; 0: nobody asks."""

    run_id: str
    origin: RunOrigin
    shards: Sequence[int]
    lookback_s: int
    dry_run: bool = False


@dataclass(frozen=True)
class ShardDone:
    """A shard that was walked to its end, with its counts; ``run_paused_ms`` is how long its whole run gave way to DJs."""

    shard: int
    counters: Counters
    run_paused_ms: int


@dataclass
class RunReport(RunOutcome[int]):
    """What a run did, and what it thinks of it.

    ``distrusted``: how many answers under an unexpected index the latest album_metadata run of a refused shard met.
    ``stopped``: why the walk over all shards did not come to its end.
    """

    request: Request
    tallied: Mapping[int, Counters] = field(default_factory=dict)
    distrusted: dict[int, int] = field(default_factory=dict)
    stopped: str = ""

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
        """Why shards were not walked to their end: there is one walk for all of them."""
        return dict.fromkeys(self.shards, self.stopped) if self.stopped else {}
