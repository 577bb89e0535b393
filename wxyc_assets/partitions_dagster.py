"""The shards as Dagster's partitions."""

import dagster as dg

from wxyc_assets.partitions import SHARD_KEYS

SHARDS = dg.StaticPartitionsDefinition(SHARD_KEYS)
