"""The kept mutations, in ``mutations.toml``: defects that are put into the code, each with the tests that must find it."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

FILE = Path(__file__).with_name("mutations.toml")
AUTO_PARTS = 10


class NotApplicableError(Exception):
    """The text that a mutation replaces does not occur exactly once in its file."""


@dataclass(frozen=True)
class Mutation:
    """A defect.

    Attributes:
        id: its name: the part of the code, a dot, and what is wrong.
        file: the file of the code, from the root of the tree.
        before, after: the text that it replaces, and by what.
        tests: pytest's ids of the tests of which at least one must fail, each a file and a function.
        why: what the defect would do to the station.
    """

    id: str
    file: str
    before: str
    after: str
    tests: Sequence[str]
    why: str

    def applied(self, code: str) -> str:
        """Return the code with the defect; raises NotApplicableError."""
        found = code.count(self.before)
        if found != 1:
            raise NotApplicableError(f"its text occurs {found} times in {self.file}, and must occur once")
        return code.replace(self.before, self.after)


def load(file: Path = FILE) -> list[Mutation]:
    """Read the mutations of a file, in its order."""
    return [Mutation(**each) for each in tomllib.loads(file.read_text())["mutation"]]


def part_of(mutations: Sequence[Mutation], part: str, today: date) -> list[Mutation]:
    """Return every n-th mutation, from the k-th on, for the part ``k/n``; ``auto`` is another tenth every day.

    Raises ValueError for a part that does not exist.
    """
    if part == "auto":
        part = f"{today.toordinal() % AUTO_PARTS + 1}/{AUTO_PARTS}"
    number, _, parts = part.partition("/")
    if not (number.isdecimal() and parts.isdecimal() and 1 <= int(number) <= int(parts)):
        raise ValueError(f"{part} is no part: write PART=3/10, or PART=auto for another tenth every day")
    return list(mutations[int(number) - 1 :: int(parts)])
