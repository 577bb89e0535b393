"""The option ``--csv`` of commands whose result is a table, and how its rows are written."""

import csv
import sys
from collections.abc import Iterable, Sequence

import click

from wxyc_assets.cli.outcome import Outcome, Output


def _refuse_json(context: click.Context, _parameter: click.Parameter, as_csv: bool) -> bool:
    if as_csv and _output(context).wants_json:
        raise click.UsageError("--csv and --json are two forms of one result: leave one out")
    return as_csv


csv_option = click.option(
    "--csv",
    "as_csv",
    is_flag=True,
    callback=_refuse_json,
    help="Print the rows as CSV, with a header; amounts are exact decimal text.",
)


def write_csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Outcome:
    """Write rows to the command's stdout as they come, as CSV of RFC 4180 with a header; return that nothing is left to print.

    Null is an empty field.
    """
    output = _output(click.get_current_context())
    output.has_rows = True
    writer = csv.writer(output.stdout)
    writer.writerow(columns)
    writer.writerows(rows)
    output.stdout.flush()
    return Outcome()


def _output(context: click.Context) -> Output:
    return context.find_object(Output) or Output(sys.stdout)
