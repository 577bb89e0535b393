"""Parses the README, the pages beside it and docs/: their blocks, spans of code, tables, and command lines."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from wxyc_assets.assets.registry import BY_NAME
from wxyc_assets.settings import ALL_GROUPS

ROOT = Path(__file__).resolve().parent.parent

FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4,}\S.*$", re.MULTILINE)


@dataclass(frozen=True)
class Document:
    """One page; ``left_out`` are the languages of fenced blocks that are not read."""

    path: Path
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return FENCED.sub(lambda found: "" if found[1] in self.left_out else found[0], self.path.read_text())

    @cached_property
    def on_one_line(self) -> str:
        """The text with every line break as a blank, so that a search finds whole sentences."""
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
        """The texts between backticks, each on one line."""
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
        """Yield the words of every command line of ``program``, without the rest of its pipe and without a description."""
        blocks = [
            line for language in ("", "sh", "bash") for body in self.fenced(language) for line in body.splitlines()
        ]
        for line in (*blocks, *self.indented, *self.spans):
            command = re.match(rf"\s*(?:[A-Z_]+=\S+ )*({program}\s.+)", line + " ")
            if command:
                yield words(command[1])


def words(line: str) -> list[str]:
    """Return a command's words, without the brackets of a synopsis and without a description."""
    line = re.split(r"\s{2,}|\s#\s|\s(?:2?>|\||&&|;)(?:\s|$)", line.strip(), maxsplit=1)[0]
    return shlex.split(re.sub(r"[\[\]]|\.\.\.", " ", line))


def code(cell: str) -> list[str]:
    """Return the texts between backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


README = Document(ROOT / "README.md")
BESIDE_README = [ROOT / name for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")]
ADDING_AN_ASSET = Document(ROOT / "docs" / "adding-an-asset.md")
NEW_ASSET = "artist_name_quality"
"""The asset that the page builds. It exists only in the copy that tests/test_docs_adding_an_asset.py makes."""

_ADDING = [Document(ADDING_AN_ASSET.path, left_out=("python", "sql", "markdown"))] if NEW_ASSET in BY_NAME else []
_IN_DOCS = [Document(path) for path in sorted((ROOT / "docs").rglob("*.md")) if path != ADDING_AN_ASSET.path]
PAGES = [README, *(Document(path) for path in BESIDE_README), *_IN_DOCS, *_ADDING]
"""The pages whose commands and names the tests look up; the names of the page about the new asset exist in the copy only."""

MONEY, LML, MIGRATION, OPERATIONS, GLOSSARY = (
    Document(ROOT / "docs" / f"{name}.md") for name in ("money", "lml", "migration", "operations", "glossary")
)

PACKAGES = ("resources", "sensors", "wxyc_assets")
"""The folders of the program."""

SETTINGS = {str(field.alias) for group in ALL_GROUPS for field in group.model_fields.values()}


def environment() -> list[list[str]]:
    """The table of the jobs' environment: names, the job, and what replaces them."""
    return MIGRATION.table("name", "job", "now")


def sources(*places: str) -> str:
    """Return the code in some folders and files as one text."""
    found = [
        path
        for place in places
        for path in ((ROOT / place).rglob("*.py") if (ROOT / place).is_dir() else [ROOT / place])
    ]
    return "\n".join(path.read_text() for path in sorted(found))
