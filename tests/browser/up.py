"""A station that ``wxyc demo`` and ``wxyc up`` start as for a user; Ctrl-C must end all its processes."""

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from resources.embedded_postgres import EmbeddedPostgres
from tests import process_table
from tests.processes import running
from tests.system import SYSTEM

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, "-m", "wxyc_assets"]

START_TIMEOUT_S = 1200.0
STOP_TIMEOUT_S = 600.0

LARGE_BUDGET = {"LML_DISCOGS_BUDGET_PER_MIN": "6000"}
"""The simulated Discogs has its own limit; with the default budget the demo would take a minute longer."""


@dataclass(frozen=True)
class Station:
    """A running station: the URLs of its UI and its LML, the DSN of its database, and its WXYC_HOME."""

    ui: str
    lml: str
    dsn: str
    home: Path

    def printed(self, *words: str) -> dict[str, Any]:
        """Return the object that a command of the terminal prints."""
        environ = {**SYSTEM, **LARGE_BUDGET, "WXYC_HOME": str(self.home), "HOME": str(self.home)}
        done = subprocess.run([*PROGRAM, *words], cwd=ROOT, env=environ, capture_output=True, timeout=300, check=False)
        found = json.loads(done.stdout)
        assert isinstance(found, dict)
        return found

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query on the station's database."""
        with psycopg.connect(self.dsn, autocommit=True, options="-c search_path=wxyc_schema,public") as connection:
            return connection.execute(query, parameters).fetchall()

    def execute(self, query: str, *parameters: object) -> int:
        """Execute a statement on the station's database; return the number of changed rows."""
        with psycopg.connect(self.dsn, autocommit=True, options="-c search_path=wxyc_schema,public") as connection:
            return connection.execute(query, parameters).rowcount

    def arm_fault(self, **fault: object) -> None:
        """Arm a fault of the sandbox LML."""
        assert httpx.post(f"{self.lml}/sandbox/faults", json=fault, trust_env=False).status_code == 201


@contextmanager
def running_station(home: Path) -> Iterator[Station]:
    """Run the demo and start its UI. Ctrl-C at the end must leave no process behind."""
    environ = {**SYSTEM, **LARGE_BUDGET, "WXYC_HOME": str(home), "HOME": str(home)}
    try:
        _run_demo(environ)
        with _up(environ, home) as printed:
            yield Station(printed["ui"], printed["LIBRARY_METADATA_URL"], EmbeddedPostgres(home).dsn("station"), home)
    finally:
        EmbeddedPostgres(home).stop()


def _run_demo(environ: Mapping[str, str]) -> None:
    pipe = subprocess.PIPE
    with running([*PROGRAM, "demo"], cwd=ROOT, env=environ, stdout=pipe, stderr=pipe, text=True) as demo:
        stdout, stderr = demo.communicate(timeout=START_TIMEOUT_S)
    assert demo.returncode == 0, stdout + stderr


@contextmanager
def _up(environ: Mapping[str, str], home: Path) -> Iterator[dict[str, str]]:
    command = [*PROGRAM, "up", "--port", str(_free_port()), "--lml-port", "0"]
    log = home / "up.log"
    with (
        log.open("wb") as errors,
        running(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as up,
    ):
        assert up.stdout
        line = up.stdout.readline()  # of the started station; empty if it cannot start
        assert line, log.read_text()
        try:
            yield json.loads(line)
        finally:
            _stop(up, home)


def _stop(up: "subprocess.Popen[bytes]", home: Path) -> None:
    """Press Ctrl-C, and check that it ends all processes of the station."""
    up.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        up.wait(STOP_TIMEOUT_S)
    remaining = _processes_of(home)
    assert not remaining, f"Ctrl-C left behind {remaining}"
    assert up.returncode == 0


def _processes_of(home: Path) -> dict[int, str]:
    """Return the processes with this WXYC_HOME: the program, the webserver, the daemon, code servers and runs."""
    entry = f"WXYC_HOME={home}".encode()
    return {
        process.pid: b" ".join(process.arguments).decode()[:200]
        for process in process_table.living()
        if entry in process.environ
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
