"""The request of a run, and the report of how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from wxyc_assets.assets.rotation_identity.checks import Coverage
from wxyc_assets.assets.rotation_identity.counters import Counters
from wxyc_assets.assets.rotation_identity.store import WHOLE_ROTATION
from wxyc_assets.runs.counts import OutcomeTable
from wxyc_assets.runs.outcome import RunOutcome, RunRequest

OUTCOMES = OutcomeTable(
    inputs="rows",
    meanings={
        "resolved": "has its identity now",
        "unresolved": "LML has no identity for the release",
        "lml_error": "LML gave no usable answer; the next run asks again",
        "raced": "another session changed the row meanwhile; left unchanged",
        "contract_violation": "the answer cannot be right; quarantined",
        "writer_error": "the table refused the row; quarantined",
        "resting": "not asked: rejected three times in a row, rests for a day",
    },
    nothing="no row needed an identity",
)
"""How the UI describes the counters of a partition."""


@dataclass(frozen=True)
class Request(RunRequest):
    """What a run is to do."""


@dataclass
class RunReport(RunOutcome[str]):
    """What a run did.

    ``inputs_read``: candidates that were read. ``stopped``: why not every row was processed. ``coverage``: how much of the
    rotation has an identity after the run; None if it could not be read.
    """

    PARTITION_NOUN: ClassVar[str] = "rotation"

    request: Request
    counters: Counters = field(default_factory=Counters)
    inputs_read: int = 0
    coverage: Coverage | None = None
    stopped: str = ""

    @property
    def totals(self) -> Mapping[str, Any]:
        """The counts of all partitions under the contract's names."""
        return self.counters.stored()

    @property
    def coverage_numbers(self) -> dict[str, int | float]:
        """The coverage after the run; empty if it could not be read."""
        return self.coverage.numbers() if self.coverage else {}

    @property
    def broken(self) -> Mapping[str, str]:
        """Why the rotation was not processed to its end."""
        return {WHOLE_ROTATION: self.stopped} if self.stopped else {}

    @property
    def total_failure(self) -> str:
        """Why a run that processed every row achieved nothing: LML answered for no row."""
        rows = self.counters.lml_error
        if not rows or self.counters.answered:
            return ""
        return f"LML answered for none of the {rows} rows asked; `wxyc doctor` says whether it is up"

    @property
    def missed(self) -> str:
        """The number of rows without an answer from LML, in words."""
        rows = self.counters.lml_error
        return f"LML did not answer for {rows} rows, which the next run asks again" if rows else ""
