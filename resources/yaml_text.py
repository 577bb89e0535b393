"""A YAML document as text with lines: what a strict reader makes, and what is said of it."""

from dataclasses import dataclass
from typing import TypeAlias

LONGEST_SHOWN = 80

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(frozen=True, slots=True)
class Problem:
    """Something in a file that must be corrected; ``line`` counts from 1 and is None where it is the file as a whole."""

    line: int | None
    message: str

    def __str__(self) -> str:
        return self.message if self.line is None else f"line {self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar as it stands in the file, its quotes and escapes resolved."""

    text: str
    line: int
    quoted: bool = False

    @property
    def absent(self) -> bool:
        """Whether this is YAML's null: nothing, ``~`` or ``null`` without quotes."""
        return not self.quoted and self.text in _NULLS


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping, and what it maps to."""

    key: Text
    value: "Node"


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping in the order of the file. A key that was given twice is a problem, and is in here twice."""

    entries: tuple[Entry, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Listing:
    """A list. What is in it was read, for its problems, and left out."""

    line: int


@dataclass(frozen=True, slots=True)
class Refused:
    """What a problem was already reported for; nothing more can be said of it."""

    line: int


Node: TypeAlias = Text | Mapping | Listing | Refused


def shown(text: str) -> str:
    """Quote a text of the file for a message: escaped, so that it cannot disturb a terminal or a log, and not too long."""
    return repr(text if len(text) <= LONGEST_SHOWN else text[:LONGEST_SHOWN] + "\N{HORIZONTAL ELLIPSIS}")
