"""The schedule that removes what is older than PRUNE_AFTER_DAYS."""

from datetime import UTC

import dagster as dg

from wxyc_assets.retention.job import prune_storage


@dg.schedule(
    name="prune_old_storage",
    cron_schedule="20 6 * * *",
    execution_timezone="UTC",
    job=prune_storage,
    description=(
        "Removes runs, events, log files and journals that are older than PRUNE_AFTER_DAYS, every day at 06:20 UTC. Off until "
        "it is switched on: `wxyc prune --dry-run` shows first what it would remove."
    ),
)
def prune_old_storage(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Request one run. Its run key names the tick, so that a crash cannot request it twice."""
    return dg.RunRequest(
        run_key=f"prune {context.scheduled_execution_time.astimezone(UTC).isoformat(timespec='minutes')}"
    )
