"""The request of a run, and the report of how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from wxyc_assets.assets.album_metadata.counters import Counters, summed
from wxyc_assets.runs.counts import OutcomeTable
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.runs.outcome import ShardRequest
from wxyc_assets.runs.shard_drain import ShardRunReport

OUTCOMES = OutcomeTable(
    inputs="albums",
    meanings={
        "match": "LML knows it",
        "upserts": "of these: row written",
        "match_without_artwork": "of these: nothing to write",
        "rows_kept_newer": "of these: another writer stored a newer row",
        "writer_error": "of these: the table refused the row; quarantined",
        "match_untrusted": "LML found another album of the artist; not asked again until the retry period ends",
        "no_match": "LML does not know it; not asked again until the retry period ends",
        "error": "LML had no usable answer; the next run asks again",
        "lml_degraded": "of these: LML could not look it up, because Discogs or its time failed it",
        "lml_refused": "of these: LML refused it alone; quarantined",
        "unexpected_index": "LML answered with an unexpected index; the next run asks again",
        "skipped_unresolvable": "no artist, or flagged as unavailable; not asked",
        "deferred": "not asked: its retry period has not ended, or LML took no calls",
    },
    nothing="no album was pending",
)
"""How the UI describes the counters of a partition."""


@dataclass(frozen=True)
class Request(ShardRequest):
    """What a run is to do.

    ``budget_ms`` is the time that LML may take over a batch before it stops asking Discogs. ``grace`` is the age in which a
    play belongs to the station's enrichment worker.
    """

    retry_after: timedelta
    grace: timedelta
    discogs_rate: DiscogsRate
    batch_size: int
    budget_ms: int


@dataclass
class RunReport(ShardRunReport[Counters]):
    """What a run did, and how it ended."""

    request: Request

    @property
    def totals(self) -> Mapping[str, Any]:
        """The counts of all partitions under the contract's names."""
        return self.counters.totals()

    @property
    def counters(self) -> Counters:
        """The counts of all shards together."""
        return summed(done.counters for done in self.done)

    @property
    def total_failure(self) -> str:
        """Why the run achieved nothing: LML answered for no album. Empty if it did."""
        counters = self.counters
        if counters.unanswered and not counters.answered:
            return f"LML answered none of the {counters.unanswered} albums asked; `wxyc doctor` says whether it is up"
        return ""

    @property
    def missed(self) -> str:
        """How many albums LML did not answer for, and how many it refused; empty if none."""
        lost, refused = self.counters.unanswered, self.counters.lml_refused
        parts = (
            f"LML did not answer for {lost} albums, which stay pending" if lost else "",
            f"LML refused {refused} albums, each asked alone; `wxyc quarantine` has the reasons" if refused else "",
        )
        return "; ".join(filter(None, parts))
