"""What one finished run did, as far as anybody must hear of it: values only, whoever read them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from wxyc_assets.finding import Scope, Severity

RunEnd = Literal["success", "failure", "canceled"]

WHOLE = ""
"""Stands in the place of partition keys for an asset as a whole."""


@dataclass(frozen=True)
class Evaluation:
    """The result of one check.

    ``numbers`` are what it was decided on. ``partitions``: those that made it fail; none: all of its run's may have.
    """

    check: str
    passed: bool
    severity: Severity
    blocking: bool = False
    description: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    partitions: frozenset[str] = frozenset()
    scope: Scope = "partitions"


@dataclass(frozen=True)
class Trouble:
    """Why a step, or a run before any of its steps, failed.

    ``root``: the class of the exception at the root of it. ``stack``: its traceback, for Sentry.
    """

    step: str
    root: str
    reason: str
    stack: str = ""


@dataclass(frozen=True)
class AssetStory:
    """What a run did about one asset.

    ``planned`` and ``credited`` are partition keys; an asset without partitions has one, WHOLE. ``expected`` are the checks
    that were to be evaluated. ``trouble``: None if its step did not fail.
    """

    asset: str
    planned: frozenset[str] = frozenset()
    credited: Mapping[str, datetime] = field(default_factory=dict)
    expected: frozenset[str] = frozenset()
    evaluations: Sequence[Evaluation] = ()
    trouble: Trouble | None = None
    dry_run: bool = False

    @property
    def missed(self) -> frozenset[str]:
        """The partitions that it was to do and did not."""
        return self.planned - self.credited.keys()

    @property
    def unevaluated(self) -> frozenset[str]:
        """The checks that were to be evaluated and were not."""
        return self.expected - {evaluation.check for evaluation in self.evaluations}


@dataclass(frozen=True)
class RunStory:
    """What a finished run did about each of its assets."""

    run_id: str
    end: RunEnd
    ended_at: datetime
    assets: Sequence[AssetStory]
