"""What a run is asked to do, and what it says came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from wxyc_assets.album_metadata.counters import Counters, summed
from wxyc_assets.album_metadata.drain import ShardDone
from wxyc_assets.album_metadata.plan import Pace
from wxyc_assets.finding import Finding, failed_errors
from wxyc_assets.ledger import RunVerdict
from wxyc_assets.recorded_run import by_partition
from wxyc_assets.run_origin import RunOrigin


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
class RunReport:
    """What a run did and what it thinks of it. ``lost``: why it could not look at what it had done, at its end."""

    request: Request
    done: list[ShardDone] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    dry_run_report: Mapping[str, Any] | None = None
    lost: str = ""

    @property
    def counters(self) -> Counters:
        """The counts of all shards together."""
        return summed(done.counters for done in self.done)

    @property
    def problems(self) -> dict[int, str]:
        """Why shards could not be credited, by shard."""
        return self.refused | {done.shard: done.problem for done in self.done if done.problem}

    @property
    def could_not_work(self) -> str:
        """Why this run did not do its job, empty if it did: a unit locked, the database gone, LML down for all of it."""
        broken = self.refused | {done.shard: done.broken for done in self.done if done.broken}
        if broken or self.lost:
            return "; ".join(filter(None, (by_partition(broken), self.lost)))
        counters = self.counters
        if counters.unanswered and not counters.answered:
            return f"LML answered none of the {counters.unanswered} albums asked; `wxyc doctor` says whether it is up"
        return ""

    @property
    def verdict(self) -> RunVerdict:
        """Whether it was done, was done with something to look at, or could not be done."""
        if self.could_not_work:
            return "failed"
        something = self.problems or self.counters.unanswered or failed_errors(self.findings)
        return "anomaly" if something else "done"

    @property
    def reason(self) -> str:
        """One sentence for the ledger and the run page; empty when all is well."""
        failed = failed_errors(self.findings)
        lost = self.counters.unanswered
        said = (
            self.could_not_work
            or by_partition(self.problems)
            or (f"LML did not answer for {lost} albums, which stay pending" if lost else ""),
            f"failed checks: {', '.join(failed)}" if failed else "",
        )
        return "; ".join(filter(None, said))
