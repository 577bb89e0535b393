"""A comparison of two price books as ``wxyc prices compare`` prints it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.rated_usage.reports.comparison import Comparison
from wxyc_assets.runs.partitions import HOUR, hour_start, window_text

MAX_SHOWN = 20
"""Models and customers on a terminal; --csv and --json list all."""


@dataclass(frozen=True)
class ComparisonView:
    """What two books bill for some hours, which are partition keys without a gap, ascending."""

    hours: Sequence[str]
    old: PriceBook
    new: PriceBook
    comparison: Comparison

    def as_json(self) -> dict[str, Any]:
        """Return the object that the command prints."""
        return {
            "window": self._window,
            "hours": len(self.hours),
            "old": {"digest": self.old.digest, **self.comparison.old.as_json()},
            "new": {"digest": self.new.digest, **self.comparison.new.as_json()},
            "moved": str(self.comparison.moved),
            "by_model": self.comparison.by_model(),
            "by_customer": self.comparison.by_customer(),
            "rows": self.comparison.rows(),
        }

    def lines(self) -> Iterator[str]:
        """Return the totals, and the models and customers that move most, as text."""
        old, new = (side.as_json() for side in (self.comparison.old, self.comparison.new))
        yield f"{self._window}: {old['total_cost']} USD with the old prices, {new['total_cost']} USD with the new ones"
        yield f"the new prices move {_signed(str(self.comparison.moved))} USD"
        for name, found in (("model_id", self.comparison.by_model()), ("auth_id", self.comparison.by_customer())):
            yield from (
                f"  {_signed(row['moved']):>20}  {row[name]}: {row['cost_old']} to {row['cost_new']}"
                for row in found[:MAX_SHOWN]
            )
            if len(found) > MAX_SHOWN:
                yield f"  and {len(found) - MAX_SHOWN} more: --csv or --json lists all"
        for title, side in (("old", old), ("new", new)):
            if side["unpriced_events"] or side["ambiguous_base_events"] or side["ambiguous_org_events"]:
                yield (
                    f"WARN the {title} prices leave out {side['unpriced_events']} events without a price, "
                    f"{side['ambiguous_base_events']} of an ambiguous base and {side['ambiguous_org_events']} of an "
                    "ambiguous organisation"
                )

    @property
    def _window(self) -> str:
        return window_text(hour_start(self.hours[0]), hour_start(self.hours[-1]) + HOUR)


def _signed(amount: str) -> str:
    return amount if amount.startswith("-") else f"+{amount}"
