"""What a run is asked to do, and what it says came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar

from resources.deploy_gate.rules import Ruling
from wxyc_assets.pace import Pace
from wxyc_assets.rotation_cache.counters import Counters
from wxyc_assets.rotation_cache.plan import Batching
from wxyc_assets.run_origin import RunOrigin
from wxyc_assets.run_outcome import RunOutcome


@dataclass(frozen=True)
class Request:
    """What a run is asked to do.

    ``days`` are the partitions that it was launched for, ``today`` the only one that can be warmed, both of UTC.
    """

    run_id: str
    origin: RunOrigin
    days: Sequence[str]
    today: date
    pace: Pace
    batching: Batching
    dry_run: bool = False


@dataclass
class RunReport(RunOutcome[str]):
    """What a run did, and what it thinks of it.

    ``ruling``: what the deploy gate said, None if it was not asked. ``inputs_read``: identities that were loaded.
    ``database_lost``: why the run was left in its midst.
    """

    PARTITION_NOUN: ClassVar[str] = "day"

    request: Request
    ruling: Ruling | None = None
    inputs_read: int = 0
    counters: Counters = field(default_factory=Counters)
    database_lost: str = ""
    dry_run_report: Mapping[str, Any] | None = None

    @property
    def broken(self) -> dict[str, str]:
        """Why the day was not done, or not to its end."""
        closed = f"the deploy gate is closed: {self.ruling.reason}" if self.ruling and not self.ruling.is_open else ""
        why = closed or self.database_lost
        return dict.fromkeys(self.request.days, why) if why else {}

    @property
    def in_vain(self) -> str:
        """Whether LML was down for all of it."""
        lost = self.counters.batch_error
        if lost and lost == self.counters.identities_scanned:
            return f"LML answered for none of the {lost} identities; `wxyc doctor` says whether it is up"
        return ""

    @property
    def missed(self) -> str:
        """The identities of lost batches, or all of them where every single one ended in error: then nothing was warmed."""
        lost, scanned = self.counters.batch_error, self.counters.identities_scanned
        if scanned and self.counters.lml_error == scanned:
            return f"LML had no usable answer for any of the {scanned} identities, and nothing was warmed"
        return f"LML did not answer for {lost} identities, whose cache was not warmed" if lost else ""
