"""Reads the price file: a bounded number of bytes, their digest, and the text that they hold with its lines."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resources.strict_yaml import parse
from resources.yaml_text import Node, Problem

LARGEST_BYTES = 1 << 20
"""A file that is larger is not read: some ten thousand models fit, and it takes seconds to parse."""

MOST_TOLD = 50


class PriceFileError(Exception):
    """A price file cannot be used.

    Attributes:
        path: the file; None if none is configured.
        violations: everything that is wrong with it, in the order of its lines.
        digest: SHA-256 of its bytes in hexadecimal digits; None if they could not be read.
    """

    def __init__(self, path: Path | None, violations: Sequence[Problem], digest: str | None = None) -> None:
        self.path = path
        self.violations = tuple(violations)
        self.digest = digest
        told = self.problems[:MOST_TOLD]
        more = len(self.problems) - len(told)
        listed = [*told, f"and {more} more; `wxyc prices check` lists them all"] if more else told
        where = "the price file" if path is None else f"price file {path}"
        super().__init__(f"{where} cannot be used:\n" + "\n".join(f"  - {problem}" for problem in listed))

    @property
    def problems(self) -> list[str]:
        """Every violation as ``line N: what is wrong``; without a line where it is the file as a whole."""
        return [str(violation) for violation in self.violations]


@dataclass(frozen=True, slots=True)
class PriceFile:
    """A price file as it was read, not yet checked against any rule but YAML's.

    Attributes:
        path: where it is.
        digest: SHA-256 of its bytes, as 64 hexadecimal digits.
        root: the document.
        problems: what is wrong with it as strict YAML.
    """

    path: Path
    digest: str
    root: Node
    problems: tuple[Problem, ...]


def read(path: Path) -> PriceFile:
    """Return what a file holds. Raises PriceFileError if it cannot be read or is larger than ``LARGEST_BYTES``."""
    data = _bytes(path)
    root, problems = parse(data)
    return PriceFile(path, hashlib.sha256(data).hexdigest(), root, tuple(problems))


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        # Not from the error: people are shown the innermost one, and it does not say that this is the price file.
        raise PriceFileError(path, [Problem(None, f"cannot be read: {reason}")]) from None
    if len(data) > LARGEST_BYTES:
        raise PriceFileError(path, [Problem(None, f"is larger than {LARGEST_BYTES} bytes, too large for a price file")])
    return data
