"""``wxyc export``: the billed rows of some hours, as CSV or Parquet."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wxyc_assets.cli.csv_output import write_csv
from wxyc_assets.cli.outcome import CannotError, Outcome

if TYPE_CHECKING:
    from wxyc_assets.assets.rated_usage.reports.export import Exported
    from wxyc_assets.assets.rated_usage.reports.rows import Rows

EXAMPLES = """\b
Examples:
  wxyc export --since 2026-10-01T00:00:00Z --until 2026-11-01T00:00:00Z > october.csv
  wxyc export --since 2026-10-01T00:00:00Z --until 2026-11-01T00:00:00Z --format parquet --output october.parquet
"""


@click.command("export", short_help="The billed rows of some hours, as CSV or Parquet.", epilog=EXAMPLES)
@click.option("--since", required=True, metavar="T", help="The first hour.")
@click.option("--until", required=True, metavar="T", help="The end of the last hour.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "parquet"]),
    default="csv",
    metavar="F",
    help="csv (default) or parquet.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to FILE. Default: stdout (csv).",
)
def command(since: str, until: str, form: str, output: Path | None) -> Outcome:
    """Export the rows of rated_usage of the hours from --since to --until: one snapshot, whatever its size, exact.

    FILE is complete or is not there: the export replaces it at its end. In CSV amounts are decimal text; in Parquet they are
    decimals with nine places. Parquet needs FILE and the extra wxyc-assets[parquet].
    """
    from wxyc_assets.assets.rated_usage.reports import export
    from wxyc_assets.cli.schema_session import billing_snapshot
    from wxyc_assets.runs.partitions import window_text

    start, end = _window(since, until)
    if form == "parquet" and output is None:
        raise click.UsageError("--format parquet needs --output FILE")
    if form == "parquet":
        try:
            export.require_pyarrow()
        except export.NoPyarrowError as error:
            raise CannotError(str(error)) from error
    with billing_snapshot() as connection:
        rows = export.billed_rows(connection, start, end)
        if output is None:
            return write_csv(rows.columns, rows.tuples)
        exported = _write(rows, form, output)
    printed = {"file": str(output), "format": form, "window": window_text(start, end), "rows": exported.rows}
    line = f"{exported.rows} rows, {exported.cost} USD, in {click.format_filename(output)}"
    return Outcome({**printed, "total_cost": str(exported.cost)}, lines=[line])


def _write(rows: "Rows", form: str, output: Path) -> "Exported":
    from wxyc_assets.assets.rated_usage.reports import export
    from wxyc_assets.cli.atomic_file import atomic_file

    write = export.write_parquet if form == "parquet" else export.write_csv
    try:
        with rows.closing(), atomic_file(output) as file:
            return write(rows, file)
    except OSError as error:
        raise CannotError(f"{click.format_filename(output)} cannot be written: {error.strerror or error}") from error


def _window(since: str, until: str) -> tuple[datetime, datetime]:
    from wxyc_assets.runs.partitions import WindowError, utc_hour

    try:
        start, end = utc_hour("--since", since), utc_hour("--until", until)
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    if start >= end:
        raise click.UsageError(f"--since {since}: is not before --until {until}")
    return start, end
