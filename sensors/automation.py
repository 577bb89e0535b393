"""The automation sensor: asks for what has an automation condition, when that has become true."""

import dagster as dg

automation = dg.AutomationConditionSensorDefinition(
    name="automation",
    target=dg.AssetSelection.assets("album_metadata", "flowsheet_enrichment"),
    minimum_interval_seconds=30,
    description=(
        "Lets album_metadata follow library_identity, and flowsheet_enrichment follow album_metadata, shard by shard, and asks "
        "for all shards of both once a day. Switching it on asks for nothing yet. Neighbouring shards are one run. A shard "
        "that failed is not repeated until what it follows is done again, or until the next day. While a run of an asset is "
        "at work, nothing more of that asset is asked for."
    ),
)
"""Its runs carry its name in ``dagster/sensor_name``, so they count as routine; several shards are launched as one backfill."""
