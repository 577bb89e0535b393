"""The job that removes what is old, for its schedule and for the UI."""

import dagster as dg

from resources.postgres import Postgres
from wxyc_assets.retention.prune import PruneError, prune
from wxyc_assets.retention.rules import removed_lines
from wxyc_assets.settings import RetentionSettings


@dg.op(name="remove_old_storage", description="Removes what is older than PRUNE_AFTER_DAYS.")
def remove_old_storage(
    context: dg.OpExecutionContext,
    postgres: dg.ResourceParam[Postgres],
    billing_postgres: dg.ResourceParam[Postgres],
    retention_settings: dg.ResourceParam[RetentionSettings],
) -> None:
    """Remove what is old and log how much that was. Fails with the reason if nothing can be removed now."""
    try:
        pruned = prune(context.instance, postgres, billing_postgres, retention_settings.prune_after, dry_run=False)
    except PruneError as error:
        raise dg.Failure(str(error), allow_retries=False) from None
    for line in removed_lines(pruned.removed):
        context.log.info("%s", line)
    if pruned.unread_runs:
        context.log.warning("%d old runs stay: the sensor alerts has not read them", pruned.unread_runs)


@dg.job(
    name="prune_storage",
    description=(
        "Removes runs, events, log files and journals that are older than PRUNE_AFTER_DAYS. What Dagster shows of partitions "
        "and checks stays, and so does everything about money. `wxyc prune` does the same, and with --dry-run only counts."
    ),
    executor_def=dg.in_process_executor,
)
def prune_storage() -> None:
    """Remove what is old."""
    remove_old_storage()
