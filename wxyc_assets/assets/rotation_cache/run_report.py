"""The request of a run, and the report of how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from resources.deploy_gate.rules import GateDecision
from wxyc_assets.assets.rotation_cache.counters import Counters
from wxyc_assets.assets.rotation_cache.plan import Batching
from wxyc_assets.runs.counts import OutcomeTable
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.runs.outcome import RunOutcome, RunRequest

OUTCOMES = OutcomeTable(
    inputs="identities",
    meanings={
        "warmed": "warmed",
        "not_found": "LML does not know them",
        "not_implemented": "LML cannot warm any of their sources yet",
        "lml_error": "LML gave no usable answer; the next run asks again",
        "batch_error": "of these: their whole batch got no answer",
        "lml_refused": "of these: LML refused it alone; quarantined",
        "answer_missing": "of these: left out of their batch's answer",
        "unknown_status": "of these: answered with an unknown status",
    },
    nothing="no active rotation row has an identity",
)
"""How the UI describes the counters of a partition."""


@dataclass(frozen=True)
class Request(RunRequest):
    """What a run is to do.

    ``days``: the partitions that it was launched for. ``today``: the only day that can be warmed. Both are UTC days.
    """

    days: Sequence[str]
    today: date
    discogs_rate: DiscogsRate
    batching: Batching

    @property
    def partitions(self) -> list[str]:
        """The UTC days, in the order requested."""
        return list(self.days)


@dataclass
class RunReport(RunOutcome[str]):
    """What a run did.

    ``gate_decision``: the decision of the deploy gate, None if it was not evaluated. ``inputs_read``: identities that were
    read. ``database_lost``: why the run could not finish. ``gave_up``: why it did not ask about all of them.
    """

    PARTITION_NOUN: ClassVar[str] = "day"

    request: Request
    gate_decision: GateDecision | None = None
    inputs_read: int = 0
    counters: Counters = field(default_factory=Counters)
    database_lost: str = ""
    gave_up: str = ""

    @property
    def totals(self) -> Mapping[str, Any]:
        """The counts of all partitions under the contract's names."""
        return self.counters.stored()

    @property
    def broken(self) -> dict[str, str]:
        """Why the day was not processed, or not to its end."""
        closed = (
            f"the deploy gate is closed: {self.gate_decision.reason}"
            if self.gate_decision and not self.gate_decision.is_open
            else ""
        )
        reason = closed or self.database_lost or self.gave_up
        return dict.fromkeys(self.request.days, reason) if reason else {}

    @property
    def total_failure(self) -> str:
        """Why a run that processed its day achieved nothing: LML answered no call."""
        lost = self.counters.batch_error
        if lost and lost == self.counters.identities_scanned:
            return f"LML answered for none of the {lost} identities; `wxyc doctor` says whether it is up"
        return ""

    @property
    def missed(self) -> str:
        """How many identities were not warmed, in words: those of failed batches, or all if every one ended in an error."""
        lost, scanned = self.counters.batch_error, self.counters.identities_scanned
        if scanned and self.counters.lml_error == scanned:
            return f"LML had no usable answer for any of the {scanned} identities, and nothing was warmed"
        refused = self.counters.lml_refused
        parts = (
            f"LML did not answer for {lost} identities, whose cache was not warmed" if lost else "",
            f"LML refused {refused} identities, each asked alone; `wxyc quarantine` has the reasons" if refused else "",
        )
        return "; ".join(filter(None, parts))
