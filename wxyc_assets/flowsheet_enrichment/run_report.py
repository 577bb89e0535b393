"""What a run is asked to do, and what it says came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from wxyc_assets.finding import Finding, failed_errors
from wxyc_assets.flowsheet_enrichment.counters import Counters, summed
from wxyc_assets.ledger import RunVerdict
from wxyc_assets.run_origin import RunOrigin


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
class RunReport:
    """What a run did and what it thinks of it.

    ``refused`` shards somebody else works on, or must not be touched. ``broken``: why the walk did not come to its end.
    ``lost``: why the run could not look at what it had done.
    """

    request: Request
    tallied: Mapping[int, Counters] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    distrusted: dict[int, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    broken: str = ""
    lost: str = ""

    @property
    def shards(self) -> list[int]:
        """The shards that this run may work on."""
        return [shard for shard in sorted(self.request.shards) if shard not in self.refused]

    @property
    def counters(self) -> Counters:
        """The counts of all shards together."""
        return summed(self.tallied.values())

    @property
    def could_not_work(self) -> str:
        """Why this run did not do its job, empty if it did: a shard locked or refused, the database gone."""
        broken = dict.fromkeys(self.shards, self.broken) if self.broken else {}
        return "; ".join(filter(None, (_by_shard(self.refused | broken), self.lost)))

    @property
    def verdict(self) -> RunVerdict:
        """Whether it was done, was done with something to look at, or could not be done."""
        if self.could_not_work:
            return "failed"
        return "anomaly" if failed_errors(self.findings) else "done"

    @property
    def reason(self) -> str:
        """One sentence for the ledger and the run page; empty when all is well."""
        failed = failed_errors(self.findings)
        checks = f"failed checks: {', '.join(failed)}" if failed else ""
        return "; ".join(filter(None, (self.could_not_work, checks)))


def _by_shard(problems: Mapping[int, str]) -> str:
    """Name each problem once, with the shards that have it."""
    shards: dict[str, list[int]] = {}
    for shard, problem in sorted(problems.items()):
        shards.setdefault(problem, []).append(shard)
    return "; ".join(f"shard {', '.join(map(str, numbers))}: {problem}" for problem, numbers in shards.items())
