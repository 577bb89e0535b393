"""Unbilled usage: what is known of it, and how it is told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from wxyc_assets.assets.rated_usage.money import Usd
from wxyc_assets.runs.findings import Finding
from wxyc_assets.runs.origin import RunOrigin

UNRATED: Final = "unrated_events"
"""The check of this room."""

BEFORE: Final = "before"
"""The bucket of events that were stored since the first hour and claim an earlier time."""

FUTURE: Final = "future"
"""The bucket of events of hours that have not begun; one at infinity never will."""

MISDATED: Final = (BEFORE, FUTURE)
SHOWN = 3

BILL = "`wxyc run rated_usage --late --plan` shows what billing them moves"
ACCEPT = "`wxyc rated accept` takes events off this list that are not to be billed"


@dataclass(frozen=True)
class UnbilledUsage:
    """Events of one hour, or with an impossible time, that no rating has seen.

    Attributes:
        bucket: the partition key of the hour; else ``before`` or ``future``.
        events: how many there are.
        estimated_cost: by how much a rating now would raise the hour's bill; None: not known.
        found_at: when a search first found some.
    """

    bucket: str
    events: int
    estimated_cost: Usd | None
    found_at: datetime

    @property
    def is_hour(self) -> bool:
        """Whether rating the hour would bill them."""
        return self.bucket not in MISDATED


def hours_of(unbilled: Sequence[UnbilledUsage]) -> list[str]:
    """Return the hours that rating would bill, ascending."""
    return sorted(each.bucket for each in unbilled if each.is_hour)


def estimated(unbilled: Sequence[UnbilledUsage]) -> Usd:
    """Return the estimated cost of all whose cost is known."""
    return sum((each.estimated_cost for each in unbilled if each.estimated_cost is not None), start=Usd())


def describe(unbilled: Sequence[UnbilledUsage]) -> str:
    """Return what is not billed, in one sentence, and what to do; empty if everything is."""
    hours = [each for each in unbilled if each.is_hour]
    misdated = [each for each in unbilled if not each.is_hour]
    parts = []
    if hours:
        unknown = sum(each.estimated_cost is None for each in hours)
        cost = f"about {estimated(hours)} USD" + (f" without {unknown} hours of unknown cost" if unknown else "")
        named = ", ".join(f"{each.bucket} ({each.events})" for each in hours[:SHOWN])
        more = f" and {len(hours) - SHOWN} more" if len(hours) > SHOWN else ""
        events = sum(each.events for each in hours)
        what = f"{events} events of {len(hours)} hours outside the trailing hours are not billed"
        parts.append(f"{what}, {cost}: {named}{more}; {BILL}")
    if misdated:
        named = ", ".join(f"{each.events} {_WHEN[each.bucket]}" for each in misdated)
        parts.append(f"events with an impossible time are not billed: {named}")
    return "; ".join([*parts, ACCEPT]) if parts else ""


_WHEN = {BEFORE: "before the first hour", FUTURE: "in hours that have not begun"}


def of_unbilled(unbilled: Sequence[UnbilledUsage], *, origin: RunOrigin) -> Finding:
    """Check that every event was seen by a rating or accepted by an operator. In an explicit run a failure only warns."""
    return Finding(
        UNRATED,
        passed=not unbilled,
        severity="ERROR" if origin == "routine" else "WARN",
        numbers={
            "unrated_hours": len(hours_of(unbilled)),
            "unrated_events": sum(each.events for each in unbilled if each.is_hour),
            "misdated_events": sum(each.events for each in unbilled if not each.is_hour),
            "estimated_cost": str(estimated(unbilled)),
        },
        description=describe(unbilled),
        partitions=hours_of(unbilled),
    )
