"""What a run is asked to do, and what it says came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from wxyc_assets.rotation_identity.counters import Counters
from wxyc_assets.rotation_identity.findings import Coverage
from wxyc_assets.rotation_identity.store import EVERYTHING
from wxyc_assets.run_origin import RunOrigin
from wxyc_assets.run_outcome import RunOutcome


@dataclass(frozen=True)
class Request:
    """What a run is asked to do."""

    run_id: str
    origin: RunOrigin
    dry_run: bool = False


@dataclass
class RunReport(RunOutcome[str]):
    """What a run did and what it thinks of it.

    ``inputs_read``: rows that were read to be asked about. ``stopped``: why the walk did not come to its end. ``coverage`` is
    None where the run could not look at what it had done.
    """

    PARTITION_NOUN: ClassVar[str] = "rotation"

    request: Request
    counters: Counters = field(default_factory=Counters)
    inputs_read: int = 0
    coverage: Coverage | None = None
    dry_run_report: Mapping[str, Any] | None = None
    stopped: str = ""

    @property
    def broken(self) -> Mapping[str, str]:
        """Why the rotation was not walked to its end."""
        return {EVERYTHING: self.stopped} if self.stopped else {}

    @property
    def in_vain(self) -> str:
        """Why nothing came of a walk to the end: LML was down for all of it."""
        rows = self.counters.lml_error
        if not rows or self.counters.answered:
            return ""
        return f"LML answered for none of the {rows} rows asked; `wxyc doctor` says whether it is up"

    @property
    def missed(self) -> str:
        """How many rows LML gave no answer for."""
        rows = self.counters.lml_error
        return f"LML did not answer for {rows} rows, which the next run asks again" if rows else ""
