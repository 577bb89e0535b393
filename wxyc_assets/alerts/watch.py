"""What holds now and no run says: windows that nobody did in time, shards whose rows are too old. Pure."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from wxyc_assets.alerts.rules import Alert
from wxyc_assets.standing.rules import Standing

SHOWN = 5

HOURS_RATED = "trailing_hours_rated"
"""The check that says the same within a run: it and the watch have one alert."""


def conditions(standings: Iterable[Standing]) -> Iterator[Alert]:
    """Yield an alert for each asset that has partitions which are late, with all of them."""
    for standing in standings:
        if standing.late:
            yield _stale(standing) if standing.asset == "library_identity" else _late(standing)


def _stale(standing: Standing) -> Alert:
    return Alert(
        asset=standing.asset,
        kind="stale",
        source="stale_shards",
        level="error" if standing.overdue else "warning",
        message=(
            f"{standing.asset}: {_shards(standing)} hold libraries whose identity has been due since {_first_of(standing)}; "
            "is the sensor stale_identities on?"
        ),
        partitions=frozenset(standing.late),
        details=_since(standing),
    )


def _late(standing: Standing) -> Alert:
    if standing.asset == "rated_usage":
        source = HOURS_RATED
        says = f"{len(standing.late)} hours closed more than two hours ago and are not rated: {_listed(standing.late)}"
    else:
        source = "freshness"
        says = f"{_shards(standing)} should have been done again by {_first_of(standing)}"
    return Alert(
        asset=standing.asset,
        kind="late",
        source=source,
        level="error" if standing.overdue else "warning",
        message=f"{standing.asset}: {says}",
        partitions=frozenset(standing.late),
        details=_since(standing),
    )


def _since(standing: Standing) -> dict[str, object]:
    return {"late_since": {key or standing.asset: since.isoformat() for key, since in standing.late.items()}}


def _shards(standing: Standing) -> str:
    """Name the late partitions; an asset that has none is named by itself."""
    return "it" if set(standing.late) == {""} else f"shards {_listed(standing.late)}"


def _first_of(standing: Standing) -> str:
    return _written(min(standing.late.values()))


def _listed(keys: Iterable[str]) -> str:
    ordered = sorted(keys, key=lambda key: (len(key), key))
    more = len(ordered) - SHOWN
    return ", ".join(ordered[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _written(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%d %H:%M UTC")
