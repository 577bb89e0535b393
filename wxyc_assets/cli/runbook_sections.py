"""The sections of the runbook. `operations.md` beside this file is a link to the one in docs/, and its copy in the wheel."""

import difflib
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from wxyc_assets.cli.outcome import CannotError

HEADING = re.compile(r"^(?P<level>##|###) (?P<title>.+)\n", re.MULTILINE)


@dataclass(frozen=True)
class Section:
    """One section: its name, which is its anchor too, its title, its part of the runbook, and its text without subsections."""

    name: str
    title: str
    part: str
    text: str


@cache
def sections() -> dict[str, Section]:
    """Return the sections by name, in the order of the runbook."""
    runbook = (files("wxyc_assets.cli") / "operations.md").read_text(encoding="utf-8")
    found, part = {}, ""
    headings = list(HEADING.finditer(runbook))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        title = heading["title"].replace("`", "")
        part = title if heading["level"] == "##" else part
        text = runbook[heading.start() : following.start() if following else len(runbook)].strip()
        found[_anchor(title)] = Section(_anchor(title), title, part, text)
    return found


def find_section(name: str) -> Section:
    """Return a section by its name, or by the anchor that an alert gives (``docs/operations.md#unpriced_zero``).

    Raises CannotError, which names similar sections.
    """
    wanted = name.rpartition("#")[2].strip("`")
    if section := sections().get(wanted):
        return section
    similar = difflib.get_close_matches(wanted, sections())
    hint = f"did you mean {' or '.join(similar)}?" if similar else "`wxyc runbook` lists all"
    raise CannotError(f"the runbook has no section {wanted}: {hint}")


def _anchor(title: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")
