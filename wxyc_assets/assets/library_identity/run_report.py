"""The request of a run, and the report of how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from wxyc_assets.assets.library_identity.counters import Counters, summed
from wxyc_assets.runs.counts import OutcomeTable
from wxyc_assets.runs.outcome import ShardRequest
from wxyc_assets.runs.shard_drain import ShardRunReport

OUTCOMES = OutcomeTable(
    inputs="libraries",
    meanings={
        "resolved": "identity written",
        "resolved_compilation": "compilation whose track credits were compared with LML's",
        "unresolved": "LML does not know it; not asked again until the retry period ends",
        "compilation": "compilation; not asked again until the retry period ends",
        "lml_error": "LML did not answer; the next run asks again",
        "lml_untrusted_library_id": "LML answered under another id; the next run asks again",
        "lml_cardinality_mismatch": "missing from LML's answer; the next run asks again",
        "contract_violation": "verdict broke the contract; quarantined",
        "lml_refused": "LML refused it alone; quarantined",
        "manual_differs": "a librarian decided otherwise, and that stands; LML's verdict is in quarantine",
        "writer_error": "it could not be written; quarantined",
    },
    nothing="no library was eligible",
)
"""How the UI describes the counters of a partition."""


@dataclass(frozen=True)
class Request(ShardRequest):
    """What a run is to do."""

    stale_after: timedelta
    retry_after: timedelta
    include_null_canonical: bool = False
    recheck: bool = False


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
        """Why the run achieved nothing: LML answered for no library. Empty if it did."""
        asked = sum(done.inputs_read for done in self.done)
        if asked and self.counters.lml_error == asked:
            return f"LML answered none of the {asked} libraries asked; `wxyc doctor` says whether it is up"
        return ""

    @property
    def missed(self) -> str:
        """How many libraries LML did not answer for, and how many it refused; empty if none."""
        lost, refused = self.counters.lml_error, self.counters.lml_refused
        parts = (
            f"LML did not answer for {lost} libraries" if lost else "",
            f"LML refused {refused} libraries, each asked alone; `wxyc quarantine` has the reasons" if refused else "",
        )
        return "; ".join(filter(None, parts))
