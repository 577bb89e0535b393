"""``wxyc prices``: checks a price file, and shows those that usage was rated with."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from wxyc_assets.cli.csv_output import csv_option, write_csv
from wxyc_assets.cli.outcome import FAILED, CannotError, Outcome

SHOWN_DIGITS = 12

STDIN = Path("/dev/stdin")


@click.group("prices", short_help="What a token costs: price files, checked and kept.")
def command() -> None:
    """Check a price file, which says what a token of each model costs, and show those that usage was rated with."""


@command.command(
    "check",
    short_help="Every violation of a price file.",
    epilog="""\b
Examples:
  wxyc prices check prices.yaml
  wxyc prices check "$PRICE_FILE" | jq -r '.problems[] | "\\(.line): \\(.message)"'
  wxyc prices check prices.yaml && git commit prices.yaml""",
)
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> Outcome:
    """Check whether usage can be rated with FILE, and list every problem with its line. /dev/stdin reads a pipe.

    Exits 0 if rating accepts the file, 1 if rating refuses it. Rates nothing, and ignores PRICE_FILE.
    """
    from resources.price_file import MAX_BYTES, PriceFileError
    from wxyc_assets.assets.price_book.load import load_price_book, piped_price_book

    name = click.format_filename(file)
    try:
        book = piped_price_book(sys.stdin.buffer.read(MAX_BYTES + 1), file) if file == STDIN else load_price_book(file)
    except PriceFileError as error:
        lines = [
            f"{name if problem.line is None else f'{name}:{problem.line}'}: {problem.message}"
            for problem in error.violations
        ]
        lines.append(f"FAIL {name}: {len(error.violations)} to correct; rating refuses it as it is")
        problems = [{"line": problem.line, "message": problem.message} for problem in error.violations]
        return Outcome(_as_json(name, error.digest, problems=problems), FAILED, lines)
    line = f"ok   {name}: {len(book.priced)} models have a price, {len(book.derived)} can be fine-tuned"
    return Outcome(_as_json(name, book.digest, version=book.version, models=len(book.priced)), lines=[line])


def _as_json(
    name: str,
    digest: str | None,
    *,
    version: int | None = None,
    models: int | None = None,
    problems: list[dict[str, int | str | None]] | None = None,
) -> dict[str, object]:
    """Return the same keys for every file; ``version`` and ``models`` are null for one that cannot be used."""
    return {"file": name, "digest": digest, "version": version, "models": models, "problems": problems or []}


@command.command("list", short_help="The price files that usage was rated with.")
def list_books() -> Outcome:
    """List the price files that rating used, the latest first, and of how many hours each has the last word.

    `wxyc run rated_usage --prices DIGEST` rates hours with one of them again.
    """
    from wxyc_assets.assets.rated_usage.store import price_book_rows
    from wxyc_assets.cli.schema_session import billing_session

    with billing_session() as connection:
        books = price_book_rows(connection)
    lines = [
        f"{row['digest'][:SHOWN_DIGITS]}  {row['hours']} hours, first used {row['first_used_at']:%Y-%m-%d %H:%M} UTC"
        for row in books
    ]
    printed = [{**row, "first_used_at": row["first_used_at"].isoformat()} for row in books]
    return Outcome({"price_books": printed}, lines=lines or ["no usage was rated with a price file yet"])


@command.command("show", short_help="A price file that usage was rated with.")
@click.argument("digest")
def show(digest: str) -> Outcome:
    """Print the price file whose digest begins with DIGEST, as it was when it was rated with."""
    from resources.price_file import PriceFileError
    from wxyc_assets.assets.rated_usage.pricing import NoPriceBookError, load_stored
    from wxyc_assets.cli.schema_session import billing_session

    with billing_session() as connection:
        try:
            book = load_stored(connection, digest)
        except (NoPriceBookError, PriceFileError) as error:
            raise CannotError(str(error)) from error
    content = book.content.decode()
    return Outcome({"digest": book.digest, "content": content}, lines=content.splitlines())


@command.command(
    "compare",
    short_help="What another price file would bill.",
    epilog="""\b
Examples:
  wxyc prices compare prices.yaml next.yaml
  wxyc prices compare 5c9d3c8f0a1b next.yaml --since 2026-10-01T00:00:00Z --until 2026-11-01T00:00:00Z --csv""",
)
@click.argument("old")
@click.argument("new")
@click.option("--since", metavar="T", help="The first hour. Default: the trailing hours, as in a routine run.")
@click.option("--until", metavar="T", help="The end of the last hour. Default: the last hour that has closed.")
@csv_option
def compare(old: str, new: str, since: str | None, until: str | None, as_csv: bool) -> Outcome:
    """Compare what the prices OLD and NEW bill for the same usage, by model and customer.

    OLD and NEW are price files, or the beginning of a digest that `wxyc prices list` shows. Rating rates each hour with both,
    under its lock, and is rolled back: no bill changes. Both rate every hour, whatever their effective_from.
    """
    from wxyc_assets.assets.rated_usage.reports.comparison import HourBusyError, compare_books
    from wxyc_assets.cli.comparison_view import ComparisonView
    from wxyc_assets.cli.price_books import load_named
    from wxyc_assets.cli.schema_session import schema_session
    from wxyc_assets.database import connections
    from wxyc_assets.runs.partitions import WindowError, hours_between, window_keys
    from wxyc_assets.settings import RatingSettings, load

    settings = load(RatingSettings)
    try:
        window = window_keys(since, until, datetime.now(UTC), settings.trailing_hours, settings.first_hour)
    except WindowError as error:
        raise click.UsageError(str(error)) from error
    hours, postgres = hours_between(*window), connections.open_billing()
    with schema_session(postgres) as connection:
        books = load_named(connection, old), load_named(connection, new)
        try:
            with click.progressbar(hours, label="hours", file=sys.stderr, hidden=not sys.stderr.isatty()) as shown:
                comparison = compare_books(postgres, shown, *books)
        except HourBusyError as error:
            raise CannotError(f"{error}; nothing was compared: try again when it is done") from error
    if as_csv:
        rows = comparison.rows()
        columns = ["model_id", "auth_id", "events_old", "events_new", "cost_old", "cost_new", "moved"]
        return write_csv(columns, [list(row.values()) for row in rows])
    view = ComparisonView(hours, *books, comparison)
    return Outcome(view.as_json(), lines=list(view.lines()))
