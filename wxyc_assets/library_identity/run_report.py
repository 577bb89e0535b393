"""What a run is asked to do, and what it says came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from wxyc_assets.library_identity.counters import Counters, summed
from wxyc_assets.library_identity.drain import ShardDone
from wxyc_assets.run_origin import RunOrigin
from wxyc_assets.run_outcome import RunOutcome


@dataclass(frozen=True)
class Request:
    """What a run is asked to do."""

    run_id: str
    origin: RunOrigin
    shards: Sequence[int]
    stale_after: timedelta
    retry_after: timedelta
    include_null_canonical: bool = False
    recheck: bool = False
    dry_run: bool = False


@dataclass
class RunReport(RunOutcome[int]):
    """What a run did, and what it thinks of it."""

    request: Request
    done: list[ShardDone] = field(default_factory=list)

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
        asked = sum(done.inputs_read for done in self.done)
        if asked and self.counters.lml_error == asked:
            return f"LML answered none of the {asked} libraries asked; `wxyc doctor` says whether it is up"
        return ""

    @property
    def missed(self) -> str:
        """The libraries that LML did not answer for."""
        lost = self.counters.lml_error
        return f"LML did not answer for {lost} libraries" if lost else ""
