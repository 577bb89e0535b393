"""The sensor that keeps the days of rotation_cache: it adds today, and drops past days whose cache was never warmed."""

from datetime import UTC, datetime

import dagster as dg

from wxyc_assets.orchestration.partitions import DAYS
from wxyc_assets.runs.partitions import changed_days

CACHE = dg.AssetKey("rotation_cache")


@dg.sensor(
    name="rotation_days",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,  # it starts no run, and without it the UI has no partition of today
    description=(
        "Adds the partition of today to rotation_cache, and drops days before yesterday whose cache was never warmed: only "
        "today's cache can be warmed. The sensor starts no run."
    ),
)
def rotation_days(context: dg.SensorEvaluationContext) -> dg.SensorResult:
    """Change the days once a day, when today is not a partition yet. On other ticks it reads the list of days only."""
    today = datetime.now(UTC).date()
    days = context.instance.get_dynamic_partitions(DAYS.name or "")
    if today.isoformat() in days:
        return dg.SensorResult(skip_reason=f"{today} is a partition already")
    warmed = context.instance.get_materialized_partitions(CACHE)
    added, dropped = changed_days(days, warmed, today)
    return dg.SensorResult(
        dynamic_partitions_requests=[DAYS.build_add_request(added), DAYS.build_delete_request(dropped)],
        skip_reason=f"added {', '.join(added)}" + (f"; dropped {', '.join(dropped)}" if dropped else ""),
    )
