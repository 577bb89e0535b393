"""Which runs LML did not answer, and when to ask again. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from wxyc_assets.assets.registry import ASSETS

FIRST_WAIT: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(minutes=45)
"""With a tick of five minutes and the launch of a run, a try begins within an hour of the last one."""

ASKING: Final = tuple(info.name for info in ASSETS if info.asks_lml)

UNANSWERED: Final[Mapping[str, tuple[str, ...]]] = {
    "library_identity": ("lml_error",),
    "album_metadata": ("batch_error", "lml_degraded", "lml_deferred"),
    "rotation_identity": ("lml_error",),
    "rotation_cache": ("batch_error",),
}
"""The counters, by asset, of inputs that LML did not answer for."""

ANSWERED: Final[Mapping[str, tuple[str, ...]]] = {
    "library_identity": (
        "resolved",
        "resolved_compilation",
        "unresolved",
        "compilation",
        "contract_violation",
        "lml_refused",
        "manual_differs",
        "lml_untrusted_library_id",
    ),
    "album_metadata": ("match", "match_untrusted", "no_match", "unexpected_index", "contract_violation", "lml_refused"),
    "rotation_identity": ("resolved", "unresolved", "raced", "contract_violation"),
    "rotation_cache": ("warmed", "not_found", "not_implemented", "lml_refused"),
}
"""The counters, by asset, of inputs that LML answered for."""

REASONS: Final = (
    "LML answered none of",
    "LML answered for none of",
    "LML answered nothing",
    "LML's breaker to Discogs has been open",
    "LML's health could not be read",
    "it gets no requests until it is healthy",
    "could not be probed",
    "no connection to LML",
    "the connection to LML broke",
)
"""Words of the reasons of runs that failed because LML did not answer; a test finds them in the code."""

EXCEPTIONS: Final = frozenset({"LmlUnreachable", "LmlTimeout", "LmlServerError", "LmlUnavailable"})
"""The exceptions that say the same."""

FOLLOWING: Final = frozenset({"eligible_left_zero", "error_rate_healthy", "coverage_of_resolvable", "deploy_gate_open"})
"""The checks that fail when LML does not answer, and say nothing else then."""


@dataclass(frozen=True)
class LmlRun:
    """A run of an asset that asks LML, as the ledger has it.

    ``unanswered`` and ``answered`` count inputs. ``partitions``: those that it tallied; ``vain_partitions``: those of them that
    LML answered nothing for.
    """

    run_id: str
    asset: str
    is_routine: bool
    ended_at: datetime
    reason: str
    unanswered: int
    answered: int
    partitions: Sequence[str] = ()
    vain_partitions: Sequence[str] = ()

    @property
    def in_vain(self) -> bool:
        """Whether LML answered nothing for the run or a partition of it. Single inputs are no reason to repeat it."""
        return bool(self.vain_partitions) or (not self.answered and is_reason(self.reason))

    @property
    def reached(self) -> bool:
        """Whether LML answered the run, for all of its partitions."""
        return self.answered > 0 and not self.in_vain


@dataclass(frozen=True)
class NextTry:
    """The next try after a run that asked in vain: which run it was, and when to ask again."""

    after: LmlRun
    at: datetime


def is_reason(text: str, error_class: str = "") -> bool:
    """Return whether a failure of this text or exception says that LML did not answer."""
    return error_class in EXCEPTIONS or any(words in text for words in REASONS)


def next_try(runs: Sequence[LmlRun], asset: str) -> NextTry | None:
    """Return when an asset asks again; None if it never asked in vain.

    The wait is as long as the outage has lasted, and so doubles with each try: 5 minutes at first, 45 at most. When LML has
    answered another run since, the next try is due at once.

    Args:
        runs: of all assets, by their end.
        asset: the asset's name.
    """
    vain = [run for run in runs if run.asset == asset and run.in_vain]
    if not vain:
        return None
    last = vain[-1]
    answered = [run.ended_at for run in runs if run.reached]
    if answered and answered[-1] > last.ended_at:
        return NextTry(last, last.ended_at)
    began_at = min(run.ended_at for run in runs if run.in_vain and (not answered or run.ended_at > answered[-1]))
    wait = min(max(last.ended_at - began_at, FIRST_WAIT), LONGEST_WAIT)
    return NextTry(last, last.ended_at + wait)


def partitions_in_vain(runs: Sequence[LmlRun], asset: str) -> dict[str, LmlRun]:
    """Return the partitions whose last run asked in vain, with that run; an asset without any has the key ""."""
    last: dict[str, LmlRun] = {}
    for run in runs:
        if run.asset == asset:
            last |= dict.fromkeys(run.partitions or ("",), run)
    return {
        key: run for key, run in last.items() if run.in_vain and (key in run.vain_partitions or not run.vain_partitions)
    }
