"""How every asset of the station stands now."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import psycopg

from wxyc_assets.partitions import SHARD_KEYS
from wxyc_assets.rated_usage.lateness import late_hours
from wxyc_assets.rated_usage.windows import HOUR, LATE_AFTER, closed_keys, start_of
from wxyc_assets.settings import IdentitySettings, RatingSettings
from wxyc_assets.standing import store
from wxyc_assets.standing.rules import Past, Standing, aged, latest, stand

WHOLE = ""
"""The key of an asset without partitions, and of one of whose partitions only the newest can be done."""

ON_SHARDS = ("album_metadata", "flowsheet_enrichment")
AS_ONE = ("rotation_identity", "rotation_cache")


def standings(connection: psycopg.Connection, identity: IdentitySettings, rating: RatingSettings) -> list[Standing]:
    """Return how each asset stands, in their order. Raises psycopg.Error if the station or our schema cannot be read."""
    oldest = store.oldest_rows(connection)
    pasts = store.pasts(connection)
    at = oldest.at
    found = [
        _identities(pasts.get("library_identity", {}), store.overdue_shards(connection, identity), at),
        *(_on_shards(asset, pasts.get(asset, {}), at) for asset in ON_SHARDS),
        *(_as_one(asset, pasts.get(asset, {}), at) for asset in AS_ONE),
        _rated(pasts.get("rated_usage", {}), late_hours(connection, at, rating.trailing_hours), at),
    ]
    return [replace(standing, oldest_row_at=oldest.rows.get(standing.asset)) for standing in found]


def _identities(pasts: Mapping[str, Past], overdue: Mapping[str, datetime], at: datetime) -> Standing:
    """A shard is late while it holds libraries that nobody asked about in time, however lately it was done."""
    late = {key: since for key, since in overdue.items() if key in pasts and pasts[key].credited_at}
    return stand("library_identity", SHARD_KEYS, pasts, late, at)


def _on_shards(asset: str, pasts: Mapping[str, Past], at: datetime) -> Standing:
    return stand(asset, SHARD_KEYS, pasts, aged(asset, pasts, at), at)


def _as_one(asset: str, pasts: Mapping[str, Past], at: datetime) -> Standing:
    whole = {WHOLE: latest(pasts.values())}
    return stand(asset, whole, whole, aged(asset, whole, at), at)


def _rated(pasts: Mapping[str, Past], late: list[str], at: datetime) -> Standing:
    """An hour that was rated stays fresh; until the first hour ever was, none is late."""
    begun = any(past.credited_at for past in pasts.values())
    since = {hour: start_of(hour) + HOUR + LATE_AFTER for hour in late} if begun else {}
    return stand("rated_usage", closed_keys(at), pasts, since, at)
