"""A YAML document as text with line numbers: the nodes and problems that the strict reader returns. Pure."""

from dataclasses import dataclass
from typing import TypeAlias

MAX_SHOWN_CHARS = 80

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A defect of a file; ``line`` counts from 1 and is None if the defect is of the whole file."""

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar as written in the file, with quotes and escapes resolved."""

    text: str
    line: int
    quoted: bool = False

    @property
    def absent(self) -> bool:
        """Whether this is YAML's null: nothing, ``~`` or ``null`` without quotes."""
        return not self.quoted and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping, and its value."""

    key: Text
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping in the order of the file. A repeated key is a problem, and both entries are in here."""

    entries: tuple[Entry, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A list, without its items: the reader checks them for problems and drops them."""

    line: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A node whose problem was reported already; it has no content."""

    line: int


Node: TypeAlias = Text | Mapping | Listing | Refused


def shown(text: str) -> str:
    """Quote a text of the file for a message: escaped, so that it cannot disturb a terminal or a log, and shortened."""
    return repr(text if len(text) <= MAX_SHOWN_CHARS else text[:MAX_SHOWN_CHARS] + "\N{HORIZONTAL ELLIPSIS}")
