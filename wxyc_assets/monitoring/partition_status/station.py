"""The status of every asset of the station, now."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import psycopg

from wxyc_assets.assets.rated_usage.lateness import late_hours
from wxyc_assets.assets.registry import ASSETS, AssetInfo
from wxyc_assets.database.billing import has_billing
from wxyc_assets.database.sessions import Sessions
from wxyc_assets.monitoring.partition_status import store
from wxyc_assets.monitoring.partition_status.rules import (
    AssetStatus,
    PartitionHistory,
    asset_status,
    late_by_age,
    newest,
)
from wxyc_assets.runs.partitions import HOUR, LATE_AFTER, SHARD_KEYS, closed_keys, hour_start
from wxyc_assets.settings import FlowsheetSettings, IdentitySettings, RatingSettings

UNPARTITIONED = ""
"""The partition key of an asset without partitions, and of an asset of whose partitions only the newest can be run."""

RESOLVE_WITHIN = timedelta(hours=1)
"""A shard is late after this time: the staleness sensor ticks every five minutes, and its runs take time."""

Histories = Mapping[str, PartitionHistory]


@dataclass(frozen=True)
class _Station:
    """What the station's tables say: its clock, the due shards, the closed hours, and those that are not rated in time."""

    at: datetime
    due_shards: Mapping[str, datetime]
    closed_hours: list[str]
    unrated: list[str]


def asset_statuses(
    sessions: Sessions, identity: IdentitySettings, flowsheet: FlowsheetSettings, rating: RatingSettings
) -> list[AssetStatus]:
    """Return the status of each asset, in the order of the registry; without rated_usage if its database cannot be used.

    Raises psycopg.Error if the tables or our schema cannot be read.
    """
    connection, billing = sessions.station, sessions.billing
    waiting = store.waiting_since(connection, identity, flowsheet)
    histories = store.partition_histories(connection)
    good_runs = store.last_good_runs(sessions.open)
    billing_start = (billing and _billing_start(billing, rating)) or waiting.at
    station = _Station(
        at=waiting.at,
        due_shards=store.due_shards(connection, identity),
        closed_hours=closed_keys(waiting.at, billing_start=billing_start),
        unrated=late_hours(billing, waiting.at, rating.trailing_hours, billing_start) if billing else [],
    )
    known = [info for info in ASSETS if billing or info.partitions != "hours"]
    statuses = [_status(info, histories.get(info.name, {}), station) for info in known]
    return [
        replace(
            status,
            last_good=good_runs.get(status.asset),
            waiting_since=waiting.since.get(status.asset) or _waiting_since(status, station),
        )
        for status in statuses
    ]


def _billing_start(billing: psycopg.Connection, rating: RatingSettings) -> datetime | None:
    """Return the first hour of rated_usage; None if there is no event, or no billing at this station."""
    if not has_billing(billing):
        return None
    return rating.billing_start or store.first_event_hour(billing)


def _status(info: AssetInfo, histories: Histories, station: _Station) -> AssetStatus:
    at = station.at
    match info.partitions:
        case "shards":
            by_content = info.name == "library_identity"
            late = _late_shards(station, histories) if by_content else late_by_age(info.name, histories, at)
            return asset_status(info.name, SHARD_KEYS, histories, late, at)
        case "hours":
            # An hour before the first event counts if a run was asked to rate it.
            hours = sorted({*station.closed_hours, *histories})
            return asset_status(info.name, hours, histories, _late_hours(station, histories), at)
        case "today" | "none":
            whole = {UNPARTITIONED: newest(histories.values())}
            return asset_status(info.name, whole, whole, late_by_age(info.name, whole, at), at)


def _waiting_since(status: AssetStatus, station: _Station) -> datetime | None:
    """Return since when the oldest input of an asset waits that the partitions tell; None: nothing waits."""
    match status.asset:
        case "library_identity":
            return min(station.due_shards.values(), default=None)
        case "rated_usage":
            undone = [hour for hour, state in status.states.items() if state != "fresh"]
            return hour_start(undone[0]) + HOUR if undone else None
        case "rotation_cache":
            midnight = station.at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            return None if status.credited_at and status.credited_at >= midnight else midnight
        case _:
            return None


def _late_shards(station: _Station, histories: Histories) -> dict[str, datetime]:
    """Return the shards that have been due for too long, without those never credited. How recently does not matter."""
    return {
        key: since
        for key, since in station.due_shards.items()
        if since < station.at - RESOLVE_WITHIN and key in histories and histories[key].credited_at
    }


def _late_hours(station: _Station, histories: Histories) -> dict[str, datetime]:
    """Return the hours that are not rated in time. No hour is late before the first hour was ever rated."""
    has_begun = any(history.credited_at for history in histories.values())
    return {hour: hour_start(hour) + HOUR + LATE_AFTER for hour in station.unrated} if has_begun else {}
