"""The plan of a run: its day and its batches. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from resources.lml.endpoints import REFRESH_CAP
from wxyc_assets.runs.discogs_rate import DiscogsRate, Forecast

LML_REFRESH_BATCH_CAP: Final = REFRESH_CAP
"""The most identities in one refresh: above it LML answers 400. It is LML's own constant, so it is no setting here."""


@dataclass(frozen=True)
class Batching:
    """How many identities a batch has, and how many batches are in flight at the same time.

    Raises ValueError for a size that LML would refuse, and if no batch may be in flight.
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
    def within_budget(cls, discogs_rate: DiscogsRate, max_concurrent: int) -> "Batching":
        """Return the batching that suits the budget.

        A batch uses at most half a minute of the budget, and no more batches are in flight than the budget can supply.
        """
        size = discogs_rate.batch_size(LML_REFRESH_BATCH_CAP)
        return cls(size, discogs_rate.in_flight(size, max_concurrent))


@dataclass(frozen=True)
class Plan:
    """The identities of a run, by ascending id, each once."""

    identity_ids: Sequence[int]
    batching: Batching

    @property
    def batches(self) -> list[Sequence[int]]:
        """The batches, in the order of the calls; each batch is one call."""
        size = self.batching.size
        return [self.identity_ids[start : start + size] for start in range(0, len(self.identity_ids), size)]

    def dry_run_report(self, discogs_rate: DiscogsRate, forecast: Forecast) -> dict[str, Any]:
        """Return the report of a dry run. All values are numbers, so that the reports of several runs can be added up."""
        return {
            "identities_scanned": len(self.identity_ids),
            "batch_count": len(self.batches),
            "calls": len(self.batches),
            "discogs_calls": round(discogs_rate.calls(len(self.identity_ids)), 3),
            "budget_backlog_s": round(forecast.backlog_s, 1),
            "budget_ours_s": round(forecast.ours_s, 1),
        }


def unwarmable_days(days: Sequence[str], today: date) -> Mapping[str, str]:
    """Return why days cannot be warmed, under one name: a range with one such day is refused as a whole.

    ``days`` are partition keys in order, YYYY-MM-DD of UTC, at least one.
    """
    if list(days) == [today.isoformat()]:
        return {}
    reason = (
        f"only the cache of today, {today}, can be warmed: LML keeps its cache as of now, so yesterday's cannot be warmed any "
        f"more, and tomorrow's not yet. Nothing was done; run the partition {today} alone"
    )
    return {days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}": reason}
