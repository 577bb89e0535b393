"""What one finished run did, as values that the rules decide on. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from wxyc_assets.runs.findings import Scope, Severity

RunEnd = Literal["success", "failure", "canceled"]

WHOLE_ASSET = ""
"""The partition key that stands for an asset as a whole."""


INTERRUPTED: frozenset[str] = frozenset({"DagsterExecutionInterruptedError", "KeyboardInterrupt"})
"""The exceptions of a run that was interrupted, by Ctrl-C or by the stop of its process: it is canceled, and did not fail."""


@dataclass(frozen=True)
class Credit:
    """The materialization of a partition: when, by the clock of its host, and the storage id of its event."""

    at: datetime
    event_id: int = 0


@dataclass(frozen=True)
class Evaluation:
    """The result of one check.

    ``numbers`` are what it was decided on. ``partitions``: the partitions that caused the failure; empty if unknown.
    ``by_partition``: how many inputs or rows failed it in each of them; empty if unknown.
    """

    check: str
    passed: bool
    severity: Severity
    blocking: bool = False
    description: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    partitions: frozenset[str] = frozenset()
    by_partition: Mapping[str, int] = field(default_factory=dict)
    scope: Scope = "partitions"


@dataclass(frozen=True)
class Failure:
    """Why a step failed, or why a run failed before any of its steps did.

    ``error_class``: the class of the exception at the root. ``stack``: its traceback, for Sentry.
    """

    step: str
    error_class: str
    reason: str
    stack: str = ""


@dataclass(frozen=True)
class AssetFacts:
    """What a run did about one asset.

    ``planned`` and ``credited`` are partition keys; an asset without partitions has one, WHOLE_ASSET. ``expected``: the checks
    that the run planned to evaluate. ``failure``: None if the asset's step did not fail.
    """

    asset: str
    planned: frozenset[str] = frozenset()
    credited: Mapping[str, Credit] = field(default_factory=dict)
    expected: frozenset[str] = frozenset()
    evaluations: Sequence[Evaluation] = ()
    failure: Failure | None = None

    @property
    def missed(self) -> frozenset[str]:
        """The partitions that the run planned and did not credit."""
        return self.planned - self.credited.keys()

    @property
    def unevaluated(self) -> frozenset[str]:
        """The checks that the run planned and did not evaluate."""
        return self.expected - {evaluation.check for evaluation in self.evaluations}


@dataclass(frozen=True)
class RunFacts:
    """What a finished run did about each of its assets.

    ``event_id``: the storage id of the last event of the run itself, which decides what came before it and what after it. A run
    that another process reported as failed, because its own was gone, had its last event earlier than that report.
    """

    run_id: str
    end: RunEnd
    ended_at: datetime
    assets: Sequence[AssetFacts]
    event_id: int = 0
