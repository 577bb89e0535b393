"""The outcome of a command, and where it is printed: text on a terminal, one JSON object otherwise."""

import json
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO, Any

import click

from resources.redaction import Redactor, encodable
from resources.secrets import Secrets

DONE = 0
FAILED = 1
ANOMALY = 2

VERDICT_COLOURS = {"ok": "green", "FAIL": "red", "ERROR": "red", "WARN": "yellow", "WARNING": "yellow"}
"""The words with which the lines of checks and alerts begin."""


class CannotError(Exception):
    """A command failed; the message says why and what to do next."""


@dataclass(frozen=True)
class Outcome:
    """The result of a command.

    Attributes:
        printed: the object for stdout. A command that prints its object early (``up``) leaves it empty.
        exit_code: 0 done, 1 failed, 2 done, with an anomaly to look at.
        lines: the same as text. On a terminal it replaces the object, elsewhere it goes to stderr.
        problem: why the command failed and what to do, as text for stderr.
        shows: secrets that the command exists to show; every other one is taken out of what is printed.
    """

    printed: Mapping[str, Any] = field(default_factory=dict)
    exit_code: int = DONE
    lines: Sequence[str] = ()
    problem: str = ""
    shows: Collection[str] = ()

    def redacted(self) -> "Outcome":
        """Return the outcome as it may be printed: without secrets."""
        redactor = Redactor([text for text in Secrets.of().texts if text not in self.shows])
        printed = redactor.answer(json.loads(json.dumps(self.printed, default=str)))
        lines = [encodable(redactor.without_secrets(line)) for line in self.lines]
        return replace(self, printed=printed, lines=lines, problem=encodable(redactor.without_secrets(self.problem)))


@dataclass
class Output:
    """Prints results. ``stdout`` is the stream that is reserved for them; ``wants_json`` is the option ``--json``.

    ``has_rows``: a command has written rows to stdout, so that nothing else may follow: the result goes to stderr.
    """

    stdout: IO[str]
    wants_json: bool = False
    has_rows: bool = False

    @property
    def is_text(self) -> bool:
        """Whether a result is shown as text alone."""
        return self.stdout.isatty() and not self.wants_json

    def print(self, outcome: Outcome) -> None:
        """Print a result once: as text, as an object, or as an object with its text on stderr."""
        outcome = outcome.redacted()
        if self.has_rows:
            self._write_problem(outcome)
            return
        if self.is_text and (outcome.lines or outcome.problem or not outcome.printed):
            self.write_lines(map(coloured, outcome.lines) if has_colours() else outcome.lines)
            self._write_problem(outcome)
            return
        if outcome.printed:
            indent = 2 if self.stdout.isatty() else None
            self.write_lines([json.dumps(outcome.printed, indent=indent, ensure_ascii=False)])
        if not (self.wants_json and sys.stderr.isatty()):
            for line in outcome.lines:
                click.echo(line, err=True)
            self._write_problem(outcome)

    def write_lines(self, lines: Iterable[str]) -> None:
        """Write lines to stdout as they are; what is no valid Unicode is escaped."""
        for line in lines:
            self.stdout.write(encodable(line) + "\n")
        self.stdout.flush()

    def _write_problem(self, outcome: Outcome) -> None:
        if outcome.problem:
            click.echo(outcome.problem, err=True)


def has_colours() -> bool:
    """Whether a terminal shows colours: not if its user set NO_COLOR, nor if it cannot."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") not in {None, "dumb"}


def coloured(line: str) -> str:
    """Return a line with its verdict, if it begins with one, in colour."""
    verdict = line.split(maxsplit=1)[0] if line.strip() else ""
    return (
        line.replace(verdict, click.style(verdict, fg=VERDICT_COLOURS[verdict]), 1)
        if verdict in VERDICT_COLOURS
        else line
    )


def numbers(counts: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return counts as ``name value``, nested ones as ``outer.inner value``, without those that are zero."""
    found = []
    for name, value in counts.items():
        if isinstance(value, Mapping):
            found += numbers(value, f"{prefix}{name}.")
        elif not _is_zero(value):
            found.append(f"{prefix}{name} {value}")
    return found


def _is_zero(value: object) -> bool:
    return value is None or not str(value).strip("-0.")
