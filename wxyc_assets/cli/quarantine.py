"""``wxyc quarantine``: lists the inputs that could not be used, and lets those that rest be asked again."""

import sys

import click

from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.cli.outcome import CannotError, Outcome

INPUT_ID = click.IntRange(-(2**63), 2**63 - 1)


EXAMPLES = """\b
Examples:
  wxyc quarantine --asset library_identity
  wxyc quarantine --kind contract_violation --release --dry-run
"""


@click.command("quarantine", short_help="Inputs that could not be used, and why.", epilog=EXAMPLES)
@click.option("--asset", type=click.Choice(list(BY_NAME)), metavar="ASSET", help="Only the inputs of one asset.")
@click.option("--kind", metavar="KIND", help="Only one kind, such as contract_violation or writer_error.")
@click.option("--input", "input_ids", multiple=True, type=INPUT_ID, metavar="ID", help="Only this input; repeatable.")
@click.option("--release", is_flag=True, help="Let the next run ask about the listed inputs that rest.")
@click.option("--dry-run", is_flag=True, help="With --release: list what would be released, and change nothing.")
@click.option("--yes", is_flag=True, help="With --release: do not ask for a confirmation.")
def command(
    asset: str | None, kind: str | None, input_ids: tuple[int, ...], release: bool, dry_run: bool, yes: bool
) -> Outcome:
    """List the inputs that could not be used since a run last tried, and why.

    An input is an album, a play, a row of the rotation or an identity. It stays eligible; after three failures of one kind in a
    row it rests for a day. --release ends the rest: use it when the cause is repaired. It asks for a confirmation, or for --yes
    where there is no terminal to ask on.
    """
    from wxyc_assets.cli import quarantine_view
    from wxyc_assets.cli.quarantine_view import QuarantineView
    from wxyc_assets.cli.schema_session import schema_session

    if not release and (dry_run or yes):
        raise click.UsageError("--dry-run and --yes belong to --release")
    with schema_session() as connection:
        found = quarantine_view.select_quarantine(connection, asset, kind, input_ids)
        if unknown := set(input_ids) - {each.input_id for each in found}:
            raise CannotError(
                f"not in quarantine: {', '.join(map(str, sorted(unknown)))}; `wxyc quarantine` lists what is"
            )
        view = QuarantineView(found)
        if release:
            resting = view.resting
            if resting and not (dry_run or yes):
                _confirm(len(resting))
            released = len(resting) if dry_run else quarantine_view.release(connection, resting)
            view = QuarantineView(resting, released, dry_run)
    return Outcome(view.as_json(), lines=list(view.lines()))


def _confirm(count: int) -> None:
    """Ask whether to release; raises CannotError for a no, and where nothing can be asked."""
    if not sys.stdin.isatty():
        raise CannotError(f"{count} inputs would be released, and none was: --dry-run lists them, --yes releases them")
    if not click.confirm(f"Let the next runs ask about {count} inputs again?", err=True):
        raise CannotError("nothing was released")
