"""What a run is asked to do, and what it says came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from wxyc_assets.album_metadata.counters import Counters, summed
from wxyc_assets.album_metadata.drain import ShardDone
from wxyc_assets.pace import Pace
from wxyc_assets.run_origin import RunOrigin
from wxyc_assets.run_outcome import RunOutcome


@dataclass(frozen=True)
class Request:
    """What a run is asked to do.

    ``budget_ms`` is the time that LML may take over a batch before it stops asking Discogs.
    """

    run_id: str
    origin: RunOrigin
    shards: Sequence[int]
    retry_after: timedelta
    pace: Pace
    batch_size: int
    budget_ms: int
    dry_run: bool = False


@dataclass
class RunReport(RunOutcome[int]):
    """What a run did, and what it thinks of it."""

    request: Request
    done: list[ShardDone] = field(default_factory=list)
    dry_run_report: Mapping[str, Any] | None = None

    @property
    def counters(self) -> Counters:
        """The counts of all shards together."""
        return summed(done.counters for done in self.done)

    @property
    def broken(self) -> dict[int, str]:
        """Why shards were not walked to their end."""
        return {done.shard: done.broken for done in self.done if done.broken}

    @property
    def uncredited(self) -> dict[int, str]:
        """Why shards that were cannot be credited all the same: LML answered nothing."""
        return {done.shard: done.problem for done in self.done if done.problem and not done.broken}

    @property
    def in_vain(self) -> str:
        """Whether LML was down for all of it."""
        counters = self.counters
        if counters.unanswered and not counters.answered:
            return f"LML answered none of the {counters.unanswered} albums asked; `wxyc doctor` says whether it is up"
        return ""

    @property
    def missed(self) -> str:
        """The albums that LML did not answer for."""
        lost = self.counters.unanswered
        return f"LML did not answer for {lost} albums, which stay pending" if lost else ""
