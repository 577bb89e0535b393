"""What a run is about to ask: for which day, in which batches. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from resources.lml.endpoints import REFRESH_CAP
from wxyc_assets.pace import Forecast, Pace

LML_REFRESH_BATCH_CAP: Final = REFRESH_CAP
"""Identities in one refresh at most: LML answers 400 above it. A constant of LML's, so no setting of ours."""


@dataclass(frozen=True)
class Batching:
    """How identities are asked about: so many in a batch, and so many batches in flight at once.

    Raises ValueError for batches that LML would refuse, or that would never get anywhere.
    """

    size: int
    in_flight: int

    def __post_init__(self) -> None:
        if not 1 <= self.size <= LML_REFRESH_BATCH_CAP:
            raise ValueError(
                f"a batch has 1 to {LML_REFRESH_BATCH_CAP} identities (LML_REFRESH_BATCH_CAP), not {self.size}"
            )
        if self.in_flight < 1:
            raise ValueError(f"at least one batch must be in flight, not {self.in_flight}")

    @classmethod
    def within(cls, pace: Pace, max_concurrent: int) -> "Batching":
        """Return what suits the budget: batches of at most half a minute of it, and no more in flight than it can feed."""
        size = pace.batch_size(LML_REFRESH_BATCH_CAP)
        return cls(size, pace.in_flight(size, max_concurrent))


@dataclass(frozen=True)
class Plan:
    """The identities of a run, by ascending id, each once."""

    identity_ids: Sequence[int]
    batching: Batching

    @property
    def batches(self) -> list[Sequence[int]]:
        """The batches, in order of asking; a batch is a call."""
        size = self.batching.size
        return [self.identity_ids[start : start + size] for start in range(0, len(self.identity_ids), size)]

    def dry_run_report(self, pace: Pace, forecast: Forecast) -> dict[str, Any]:
        """Return what a dry run reports; all numbers, so that the reports of several runs can be added up."""
        return {
            "identities_scanned": len(self.identity_ids),
            "batch_count": len(self.batches),
            "calls": len(self.batches),
            "discogs_calls": round(pace.calls(len(self.identity_ids)), 3),
            "budget_backlog_s": round(forecast.backlog_s, 1),
            "budget_ours_s": round(forecast.ours_s, 1),
        }


def other_days(days: Sequence[str], today: date) -> Mapping[str, str]:
    """Return why days cannot be warmed, all of them under one name: if one cannot, half of what a person asked for is not it.

    ``days`` are partition keys in order, YYYY-MM-DD of UTC, at least one.
    """
    if list(days) == [today.isoformat()]:
        return {}
    why = (
        f"only the cache of today, {today}, can be warmed: LML keeps its cache as of now, so yesterday's cannot be warmed any "
        f"more, nor tomorrow's yet. Nothing was done; run the partition {today} alone"
    )
    return {days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}": why}
