"""The partitions definitions of Dagster: the shards, the hours of usage, and the days of the rotation's cache."""

from datetime import datetime

import dagster as dg

from wxyc_assets.runs.partitions import FIRST_HOUR, SHARD_KEYS, hour_key

SHARDS = dg.StaticPartitionsDefinition(SHARD_KEYS)

DAYS = dg.DynamicPartitionsDefinition(name="rotation_days")
"""UTC days, each added when it is today. A past day cannot be warmed, so no day is a partition before it was due."""


def hours_since(first: datetime) -> dg.HourlyPartitionsDefinition:
    """Return the closed UTC hours from ``first`` on: the current hour has no partition yet."""
    return dg.HourlyPartitionsDefinition(start_date=hour_key(first), timezone="UTC")


HOURS = hours_since(FIRST_HOUR)
"""All hours that can be rated. The code location begins with the hour in BILLING_START instead."""


def add_day(instance: dg.DagsterInstance, day: str) -> None:
    """Make a day a partition of the rotation's cache, if it is none yet."""
    instance.add_dynamic_partitions(DAYS.name or "", [day])
