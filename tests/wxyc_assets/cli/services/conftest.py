"""A ``wxyc up`` as an operator starts it, and everything that belongs to its home."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from resources.embedded_postgres import EmbeddedPostgres
from tests import process_table
from tests.processes import running, temporary_home
from tests.system import SYSTEM
from tests.waiting import wait_for

TIMEOUT_S = 120.0


@dataclass
class Up:
    """A ``wxyc up``: its process, what it printed, and where its stderr goes."""

    home: Path
    process: "subprocess.Popen[Any]"
    log: Path
    at: dict[str, str] = field(default_factory=dict)

    def wait_until_up(self) -> None:
        """Read the addresses that it prints once everything has started."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.log.read_text()
        self.at = json.loads(line)
        assert "ui" in self.at, line

    def error(self) -> str:
        """Return the error of the object that it printed at its end."""
        assert self.process.stdout
        return str(json.loads(self.process.stdout.read())["error"])

    def said(self, text: str) -> bool:
        """Say whether it has told the operator this."""
        return text in self.log.read_text()

    def wait_for_words(self, text: str) -> None:
        """Wait until it has told the operator this."""
        wait_for(lambda: self.said(text), f"{text!r} in {self.log}", TIMEOUT_S)

    def pids(self, *words: str) -> list[int]:
        """Return the processes of its home whose command line has all the words."""
        return pids_of(self.home, *words)

    def end(self, number: signal.Signals) -> None:
        """Send a signal to it alone, and wait until nothing of it is left."""
        self.process.send_signal(number)
        self.process.wait(TIMEOUT_S)
        wait_until_nothing_is_left(self.home)


def pids_of(home: Path, *words: str) -> list[int]:
    """Return the processes of a home whose command line has all the words."""
    return [
        pid
        for pid, arguments in processes_of(home).items()
        if all(word.encode() in b" ".join(arguments) for word in words)
    ]


def processes_of(home: Path) -> dict[int, tuple[bytes, ...]]:
    """Return the command lines of a home's processes: those that have it in their environment, its PostgreSQL, its keepers."""
    return {
        process.pid: process.arguments
        for process in process_table.living()
        if f"WXYC_HOME={home}".encode() in process.environ or f"-D {home}/".encode() in b" ".join(process.arguments)
    }


def wait_until_nothing_is_left(home: Path) -> None:
    """Wait for the end of all processes of a home."""
    left = {pid: b" ".join(arguments).decode(errors="replace") for pid, arguments in processes_of(home).items()}
    wait_for(lambda: not processes_of(home), f"end of {left}", TIMEOUT_S)
    wait_for(lambda: not EmbeddedPostgres(home).running(), "end of the server")


@contextmanager
def started(
    home: Path, arguments: Sequence[str] = ("--port", "0"), cwd: Path | None = None, **extra: Any
) -> Iterator[Up]:
    """Start a ``wxyc up`` on a home; it need not be ready yet."""
    environ = {**SYSTEM, "WXYC_HOME": str(home), "HOME": str(home)}
    command: list[str | Path] = [Path(sys.executable).parent / "wxyc", "up", "--lml-port", "0", *arguments]
    log = home / f"up-{os.urandom(4).hex()}.log"
    with (
        log.open("wb") as errors,
        running(
            command, **{"cwd": cwd, "env": environ, "stdout": subprocess.PIPE, "stderr": errors} | extra
        ) as process,
    ):
        yield Up(home, process, log)


@pytest.fixture(scope="module")
def up_home() -> Iterator[Path]:
    """The home of this module's ``wxyc up``."""
    with temporary_home("wxyc-up-") as home:
        yield home
        EmbeddedPostgres(home).stop()
