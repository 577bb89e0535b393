"""``wxyc prices``: what usage costs."""

from pathlib import Path

import click

from wxyc_assets.cli.outcome import COULD_NOT, Outcome


@click.group("prices", short_help="The price file: whether usage can be rated with it.")
def command() -> None:
    """Look after the price file, which says what a token of each model costs."""


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
    """Say whether usage can be rated with FILE, and if not, everything that is wrong with it, line by line.

    Exits 0 if rating would take it, 1 if it would refuse to run. Nothing is rated, and PRICE_FILE is not looked at.
    """
    from resources.price_file import PriceFileError
    from wxyc_assets.price_book.load import load_price_book

    name = click.format_filename(file)
    try:
        book = load_price_book(file)
    except PriceFileError as error:
        for problem in error.violations:
            at = name if problem.line is None else f"{name}:{problem.line}"
            click.echo(f"{at}: {problem.message}", err=True)
        click.echo(f"FAIL {name}: {len(error.violations)} to correct; rating refuses it as it is", err=True)
        problems = [{"line": problem.line, "message": problem.message} for problem in error.violations]
        return Outcome(_printed(name, error.digest, problems=problems), COULD_NOT)
    click.echo(f"ok   {name}: {len(book.priced)} models have a price, {len(book.derived)} can be fine-tuned", err=True)
    return Outcome(_printed(name, book.digest, version=book.version, models=len(book.priced)))


def _printed(
    name: str,
    digest: str | None,
    *,
    version: int | None = None,
    models: int | None = None,
    problems: list[dict[str, int | str | None]] | None = None,
) -> dict[str, object]:
    """Return the same keys for every file; ``version`` and ``models`` are null for one that cannot be used."""
    return {"file": name, "digest": digest, "version": version, "models": models, "problems": problems or []}
