"""``wxyc changes``: every change of a billed row, with its cause."""

from datetime import UTC, datetime

import click

from wxyc_assets.cli.csv_output import csv_option, write_csv
from wxyc_assets.cli.outcome import Outcome

EXAMPLES = """\b
Examples:
  wxyc changes --since 2026-10-01T00:00:00Z
  wxyc changes --since 2026-10-01T00:00:00Z --until 2026-11-01T00:00:00Z --csv > changes.csv
"""


@click.command("changes", short_help="Every change of a billed row, with its cause.", epilog=EXAMPLES)
@click.option("--since", required=True, metavar="T", help="Changes that were made at T or later.")
@click.option("--until", metavar="T", help="Changes that were made before T. Default: now.")
@csv_option
def command(since: str, until: str | None, as_csv: bool) -> Outcome:
    """List every billed row that a run inserted, changed or deleted in a time, whatever hour it bills.

    Each change has its cause (its events, the prices, or both), the run, its origin, the digest of its price file, and the
    row before and after. The sums are by cause and by run. A terminal shows the first changes; --csv and --json list all.
    """
    from wxyc_assets.assets.rated_usage.reports.changes import read_changes
    from wxyc_assets.cli.changes_view import ChangesView
    from wxyc_assets.cli.schema_session import billing_snapshot
    from wxyc_assets.runs.partitions import WindowError, instant_of

    try:
        start = instant_of("--since", since)
        end = instant_of("--until", until) if until else datetime.now(UTC)
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    if start >= end:
        raise click.UsageError(f"--since {since}: is not before {f'--until {until}' if until else 'now'}")
    with billing_snapshot() as connection:
        changes = read_changes(connection, start, end)
        if as_csv:
            return write_csv(changes.columns, changes.tuples)
        view = ChangesView.of(start, end, changes)
    return Outcome(view.as_json(), lines=list(view.lines()))
