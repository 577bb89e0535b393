"""Takes a document apart by the keys it may have, noting what does not belong. Pure."""

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field

from resources.yaml_text import Entry, Mapping, Node, Problem, Refused, Text, shown


@dataclass(frozen=True)
class Notes:
    """The problems that were met so far."""

    problems: list[Problem] = field(default_factory=list)

    def add(self, line: int | None, message: str) -> None:
        """Note one more."""
        self.problems.append(Problem(line, message))


def is_mapping(node: Node | None) -> bool:
    """Tell whether entries can be taken from a node: of a null none, as of an empty mapping."""
    return node is None or isinstance(node, Mapping) or (isinstance(node, Text) and node.absent)


def entries(node: Node | None, where: str, notes: Notes) -> tuple[Entry, ...]:
    """Return the entries of a mapping whose keys are free; of a null none. Notes what is no mapping."""
    if isinstance(node, Mapping):
        return node.entries
    if node and not is_mapping(node) and not isinstance(node, Refused):
        notes.add(node.line, f"{where} must be a mapping, not {_kind(node)}")
    return ()


def known_fields(node: Node | None, known: Collection[str], where: str, notes: Notes) -> dict[str, Node]:
    """Return what a mapping has under the keys it may have; a key whose value is null is left out. Notes other keys.

    Of a key that is given twice, which is noted already, mappings are taken together, so that all in them is looked at.
    """
    found: dict[str, Node] = {}
    for entry in entries(node, where, notes):
        name = entry.key.text
        if name not in known:
            notes.add(entry.key.line, f"unknown key {shown(name)} in {where}{_meant(name, known)}")
        elif not (isinstance(entry.value, Text) and entry.value.absent):
            found[name] = _together(found.get(name), entry.value)
    return found


def _together(first: Node | None, second: Node) -> Node:
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return Mapping(first.entries + second.entries, first.line)
    return first or second


def text_of(node: Node | None, where: str, notes: Notes) -> Text | None:
    """Return a text that is not empty; None if there is none. Notes what is no text."""
    if isinstance(node, Text):
        return None if node.absent or not node.text else node
    if node is not None and not isinstance(node, Refused):
        notes.add(node.line, f"{where} must be text, not {_kind(node)}")
    return None


def _kind(node: Node) -> str:
    if isinstance(node, Text):
        return f"the text {shown(node.text)}"
    return "a mapping" if isinstance(node, Mapping) else "a list"


def _meant(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name[:100], list(known), n=1)
    return f": did you mean {close[0]}?" if close else f": it may have {', '.join(known)}"
