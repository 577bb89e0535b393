"""Reads the fields of a document's mappings and reports everything that is not allowed there. Pure."""

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field

from resources.yaml_text import Entry, Mapping, Node, Problem, Refused, Text, shown


@dataclass(frozen=True)
class Problems:
    """The problems found so far."""

    found: list[Problem] = field(default_factory=list)

    def add(self, line: int | None, message: str) -> None:
        """Report one problem."""
        self.found.append(Problem(line, message))


def is_mapping(node: Node | None) -> bool:
    """Return whether a node is a mapping; a null counts as an empty one."""
    return node is None or isinstance(node, Mapping) or (isinstance(node, Text) and node.absent)


def mapping_entries(node: Node | None, where: str, problems: Problems) -> tuple[Entry, ...]:
    """Return the entries of a mapping with arbitrary keys; a null has none. Reports a node that is not a mapping."""
    if isinstance(node, Mapping):
        return node.entries
    if node and not is_mapping(node) and not isinstance(node, Refused):
        problems.add(node.line, f"{where} must be a mapping, not {_describe(node)}")
    return ()


def read_fields(node: Node | None, known: Collection[str], where: str, problems: Problems) -> dict[str, Node]:
    """Return the values of a mapping's known keys, without those that are null. Reports unknown keys.

    The mappings of a key that is given twice are merged, so that both are checked; the repeated key is already reported.
    """
    found: dict[str, Node] = {}
    for entry in mapping_entries(node, where, problems):
        name = entry.key.text
        if name not in known:
            problems.add(entry.key.line, f"unknown key {shown(name)} in {where}{_suggestion(name, known)}")
        elif not (isinstance(entry.value, Text) and entry.value.absent):
            found[name] = _merged(found.get(name), entry.value)
    return found


def _merged(first: Node | None, second: Node) -> Node:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return Mapping(first.entries + second.entries, first.line)
    return first or second


def read_text(node: Node | None, where: str, problems: Problems) -> Text | None:
    """Return a text that is not empty, else None. Reports a node that is not a text."""
    if isinstance(node, Text):
        return None if node.absent or not node.text else node
    if node is not None and not isinstance(node, Refused):
        problems.add(node.line, f"{where} must be text, not {_describe(node)}")
    return None


def _describe(node: Node) -> str:
    if isinstance(node, Text):
        return f"the text {shown(node.text)}"
    return "a mapping" if isinstance(node, Mapping) else "a list"


def _suggestion(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name[:100], list(known), n=1)
    return f": did you mean {close[0]}?" if close else f": it may have {', '.join(known)}"
