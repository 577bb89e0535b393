"""``wxyc runbook``: prints what a check or an alert means, and what to do."""

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from wxyc_assets.cli.outcome import Outcome

if TYPE_CHECKING:
    from wxyc_assets.cli.runbook_sections import Section

EXAMPLES = """\b
Examples:
  wxyc runbook                     every section by its name
  wxyc runbook unpriced_zero       what the check means, what to look at, what to do
  wxyc runbook failed_run          the same for a run that failed
"""


def _names(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    from wxyc_assets.cli.runbook_sections import sections

    return [CompletionItem(name) for name in sections() if name.startswith(typed)]


@click.command("runbook", short_help="What a check or an alert means, and what to do.", epilog=EXAMPLES)
@click.argument("name", required=False, shell_complete=_names)
def command(name: str | None) -> Outcome:
    """Print the section of the runbook about a check or an alert.

    NAME is that of the check, or what an alert names as its runbook. Without it, print the names of all sections. The
    runbook is docs/operations.md; this command has it where only the package is installed.
    """
    from wxyc_assets.cli.runbook_sections import find_section, sections

    if name:
        section = find_section(name)
        return Outcome(vars(section), lines=section.text.splitlines())
    found = list(sections().values())
    listed = [{"name": section.name, "title": section.title, "part": section.part} for section in found]
    return Outcome({"sections": listed}, lines=list(_lines(found)))


def _lines(found: "list[Section]") -> Iterator[str]:
    """Return a line for each part of the runbook, and below it one for each section of the part."""
    for part, members in groupby(found, key=lambda section: section.part):
        named = list(members)
        yield f"{part}: `wxyc runbook {named[0].name}`"
        yield from (f"  {section.name}" for section in named[1:])
