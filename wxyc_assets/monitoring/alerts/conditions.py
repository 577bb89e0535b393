"""Alerts for conditions that hold now, whatever runs did: late partitions, and shards with identities that are due. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from wxyc_assets.monitoring.alerts.rules import Alert
from wxyc_assets.monitoring.partition_status.rules import AssetStatus

SHOWN = 3

HOURS_RATED = "trailing_hours_rated"
"""The check that finds late hours within a run: the check and the condition have one alert."""


BILLING_UNREACHABLE = "billing_unreachable"


def condition_alerts(statuses: Iterable[AssetStatus]) -> Iterator[Alert]:
    """Yield one alert for each asset that has late partitions, with all of them."""
    for status in statuses:
        if status.late_since:
            yield _stale(status) if status.asset == "library_identity" else _late(status)


def billing_alerts(problem: str) -> Iterator[Alert]:
    """Yield the alert that the database of the billing tables cannot be used, if there is such a problem."""
    if problem:
        yield Alert(
            asset="rated_usage",
            kind="late",
            source=BILLING_UNREACHABLE,
            level="error",
            message=f"rated_usage: no usage is rated, and whether hours are late is unknown: {problem}",
            partitions=frozenset({""}),
            details={},
        )


def _stale(status: AssetStatus) -> Alert:
    return Alert(
        asset=status.asset,
        kind="stale",
        source="stale_shards",
        level="error" if status.overdue else "warning",
        message=(
            f"{status.asset}: {_partitions(status)} hold libraries whose identity has been due since {_first_of(status)}; "
            "is the sensor stale_identities on?"
        ),
        partitions=frozenset(status.late_since),
        details=_details(status),
    )


def _late(status: AssetStatus) -> Alert:
    late = status.late_since
    if status.asset == "rated_usage":
        source = HOURS_RATED
        text = f"{len(late)} hours closed more than two hours ago and are not rated: {_shortened(late)}"
    else:
        source = "freshness"
        text = f"{_partitions(status)} should have been done again by {_first_of(status)}"
    return Alert(
        asset=status.asset,
        kind="late",
        source=source,
        level="error" if status.overdue else "warning",
        message=f"{status.asset}: {text}",
        partitions=frozenset(late),
        details=_details(status),
    )


def _details(status: AssetStatus) -> dict[str, object]:
    return {"late_since": {key or status.asset: since.isoformat() for key, since in status.late_since.items()}}


def _partitions(status: AssetStatus) -> str:
    """Name the late partitions; an asset without partitions is "it"."""
    return "it" if set(status.late_since) == {""} else f"shards {_shortened(status.late_since)}"


def _first_of(status: AssetStatus) -> str:
    return _minute(min(status.late_since.values()))


def _shortened(keys: Iterable[str]) -> str:
    ordered = sorted(keys, key=lambda key: (len(key), key))
    more = len(ordered) - SHOWN
    return ", ".join(ordered[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _minute(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M UTC")
