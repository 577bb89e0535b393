"""The README and docs/ taken apart: their blocks, spans of code, tables, and the command lines that they show."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from wxyc_assets.settings import ALL_GROUPS

ROOT = Path(__file__).resolve().parent.parent

FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4,}\S.*$", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """One page."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def on_one_line(self) -> str:
        """The text with every line break as a blank, so that no sentence is cut."""
        return " ".join(self.text.split())

    def fenced(self, language: str) -> list[str]:
        """The fenced blocks in a language."""
        return [body for found, body in FENCED.findall(self.text) if found == language]

    @cached_property
    def indented(self) -> list[str]:
        """The lines of indented blocks, with their indentation."""
        return INDENTED.findall(FENCED.sub("", self.text))

    @cached_property
    def spans(self) -> list[str]:
        """What stands between backticks, on one line each."""
        prose = INDENTED.sub("", FENCED.sub("", self.text))
        return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]

    def table(self, *header: str) -> list[list[str]]:
        """The rows of the table with this header."""
        _, _, below = self.text.partition(f"| {' | '.join(header)} |\n")
        assert below, f"{self.name} has no table {header}"
        rows = []
        for line in below.splitlines()[1:]:
            if not line.startswith("|"):
                break
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        assert all(len(row) == len(header) for row in rows), f"{self.name}: {header}"
        return rows

    def commands(self, program: str) -> Iterator[list[str]]:
        """The words of every command line of ``program``, without what follows it in a pipe or stands beside it."""
        blocks = [
            line for language in ("", "sh", "bash") for body in self.fenced(language) for line in body.splitlines()
        ]
        for line in (*blocks, *self.indented, *self.spans):
            command = re.match(rf"\s*(?:[A-Z_]+=\S+ )*({program}\s.+)", line + " ")
            if command:
                yield words(command[1])


def words(line: str) -> list[str]:
    """Return a command's words; brackets of a synopsis are taken off, and a description beside it is."""
    line = re.split(r"\s{2,}|\s#\s|\s(?:2?>|\||&&|;)(?:\s|$)", line.strip(), maxsplit=1)[0]
    return shlex.split(re.sub(r"[\[\]]|\.\.\.", " ", line))


def code(cell: str) -> list[str]:
    """Return what stands between backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


README = Document(ROOT / "README.md")
PAGES = [README, *(Document(path) for path in sorted((ROOT / "docs").rglob("*.md")))]


MONEY, LML, MIGRATION = (Document(ROOT / "docs" / f"{name}.md") for name in ("money", "lml", "migration"))

SETTINGS = {str(field.alias) for group in ALL_GROUPS for field in group.model_fields.values()}


def environment() -> list[list[str]]:
    """What became of the jobs' environment: names, of which job, and what is now."""
    return MIGRATION.table("name", "job", "now")


def sources(*places: str) -> str:
    """The code in some folders and files, as one text."""
    found = [
        path
        for place in places
        for path in ((ROOT / place).rglob("*.py") if (ROOT / place).is_dir() else [ROOT / place])
    ]
    return "\n".join(path.read_text() for path in sorted(found))
