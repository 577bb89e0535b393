"""Where docs/operations.md explains a check or an alert. Pure.

Each check, and each alert source that is no check, has a section headed by its name in backticks: "### `unpriced_zero`".
"""

from collections.abc import Mapping
from typing import Final

PAGE: Final = "docs/operations.md"

SECTION_OF_KIND: Final[Mapping[str, str]] = {"run": "failed_run", "unevaluated": "check_not_evaluated"}
"""Kinds of alerts that have one section, whatever their source is: a step, or a check that did not run."""


def section(kind_or_check: str) -> str:
    """Return the anchor of a check, of an alert source that is no check, or of an alert kind that has a section.

    Examples: ``docs/operations.md#unpriced_zero``; ``docs/operations.md#failed_run`` for the kind ``run``.
    """
    return f"{PAGE}#{SECTION_OF_KIND.get(kind_or_check, kind_or_check)}"


def command(anchor: str) -> str:
    """Return the command that prints the section of an anchor, also where only the package is installed."""
    return f"wxyc runbook {anchor.rpartition('#')[2]}"


def alert_section(kind: str, source: str) -> str:
    """Return the anchor of an alert: that of its kind if the kind has a section, else that of its source."""
    return section(kind if kind in SECTION_OF_KIND else source)
