"""The automation sensor: requests the partitions whose automation condition has become true."""

import dagster as dg

automation = dg.AutomationConditionSensorDefinition(
    name="automation",
    target=dg.AssetSelection.assets("album_metadata", "flowsheet_enrichment"),
    minimum_interval_seconds=30,
    description=(
        "Runs album_metadata after library_identity, and flowsheet_enrichment after album_metadata, shard by shard, and all "
        "shards of both once a day. Switching it on requests nothing yet. Neighbouring shards are one run. A failed shard is "
        "requested again when its upstream shard is done again, or on the next day. While a run of an asset is in progress, "
        "the sensor requests nothing more of that asset."
    ),
)
"""Its runs carry its name in ``dagster/sensor_name``, and count as routine. Dagster launches several shards as one backfill."""
