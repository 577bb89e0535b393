"""Reads the price file: at most so many bytes, their digest, and their YAML as text with line numbers."""

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from resources.strict_yaml import parse
from resources.yaml_text import Node, Problem

MAX_BYTES = 1 << 20
"""A larger file is refused. Some ten thousand models fit into it; parsing it takes seconds."""

MAX_LISTED = 50


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
        listed = self.problems[:MAX_LISTED]
        more = len(self.problems) - len(listed)
        lines = [*listed, f"and {more} more; `wxyc prices check` lists them all"] if more else listed
        where = "the price file" if path is None else f"price file {path}"
        super().__init__(f"{where} cannot be used:\n" + "\n".join(f"  - {problem}" for problem in lines))

    @property
    def problems(self) -> list[str]:
        """Every violation as ``line N: what is wrong``; without a line where it is the file as a whole."""
        return [str(violation) for violation in self.violations]


@dataclass(frozen=True, slots=True)
class PriceFile:
    """A price file as it was read, checked against the rules of YAML only.

    Attributes:
        path: the file.
        content: its bytes.
        digest: SHA-256 of its bytes, as 64 hexadecimal digits.
        root: the document.
        problems: what is wrong with it as strict YAML.
    """

    path: Path
    content: bytes
    digest: str
    root: Node
    problems: tuple[Problem, ...]


def read(path: Path) -> PriceFile:
    """Return the content of a regular file, of at most ``MAX_BYTES``. Raises PriceFileError if it is none or cannot be read."""
    return read_content(_bytes(path), path)


def read_content(content: bytes, path: Path) -> PriceFile:
    """Return bytes that were read before, as ``read`` does; ``path`` names them in messages."""
    if len(content) > MAX_BYTES:
        raise PriceFileError(path, [Problem(None, f"is larger than {MAX_BYTES} bytes, too large for a price file")])
    root, problems = parse(content)
    return PriceFile(path, content, hashlib.sha256(content).hexdigest(), root, tuple(problems))


def _bytes(path: Path) -> bytes:
    data: bytes | None = None
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a path with a NUL is a ValueError
        reason = error.strerror if isinstance(error, OSError) else error
        # Without a cause: Dagster shows the innermost error, and that one does not name the price file.
        raise PriceFileError(path, [Problem(None, f"cannot be read: {reason}")]) from None
    if data is None:
        raise PriceFileError(
            path, [Problem(None, "is no regular file, but a pipe or a device: write the prices to a file")]
        )
    return data


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file; a FIFO without a writer too, at which a run would wait for ever, with its locks."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
