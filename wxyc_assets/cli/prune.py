"""``wxyc prune``: removes what is older than an age from Dagster's storage, its log files and our schema."""

import click

from wxyc_assets.cli.outcome import ANOMALY, DONE, CannotError, Outcome

EXAMPLES = """\b
Examples:
  wxyc prune --dry-run
  wxyc prune --older-than 90d
"""


@click.command("prune", short_help="Remove what has been stored for long.", epilog=EXAMPLES)
@click.option("--older-than", metavar="AGE", help="An age in days, such as 90d. Default: PRUNE_AFTER_DAYS.")
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
def command(older_than: str | None, dry_run: bool) -> Outcome:
    """Remove old runs of Dagster with their events and log files, old ticks, closed alerts, and journals that nothing reads.

    The latest materialization of every partition stays, and the state of every check, what open alerts name, and everything
    about money. It works in small transactions: interrupt it at any time, and the same command does the rest. Exits 2 if old
    runs stay because the sensor `alerts` has not read them.
    """
    from wxyc_assets.cli.instance import open_instance
    from wxyc_assets.database import connections
    from wxyc_assets.retention.prune import PruneError, prune
    from wxyc_assets.retention.rules import AgeError, parse_age, removed_lines
    from wxyc_assets.settings import RetentionSettings, load

    try:
        age = parse_age(older_than) if older_than else load(RetentionSettings).prune_after
    except AgeError as error:
        raise click.UsageError(f"--older-than: {error}") from error
    with open_instance() as instance:
        try:
            pruned = prune(instance, connections.open_postgres(), connections.open_billing(), age, dry_run=dry_run)
        except PruneError as error:
            raise CannotError(str(error)) from error
    printed = {
        "dry_run": dry_run,
        "before": pruned.before.isoformat(timespec="seconds"),
        "removed": {one.kind: {"count": one.count, "bytes": one.size} for one in pruned.removed},
        "unread_runs": pruned.unread_runs,
    }
    done = "would be removed" if dry_run else "removed"
    lines = [f"{done}, because it is from before {pruned.before:%Y-%m-%d %H:%M} UTC:", *removed_lines(pruned.removed)]
    if pruned.unread_runs:
        lines.append(f"WARN {pruned.unread_runs} old runs stay: the sensor alerts has not read them; switch it on")
    return Outcome(printed, ANOMALY if pruned.unread_runs else DONE, lines)
