"""``wxyc demo`` and ``wxyc up`` as their users have them, on a station of the tests' own, and nothing of them left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg

from resources.embedded_postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}
PROGRAM = [sys.executable, "-m", "wxyc_assets"]

START_TIMEOUT_S = 180.0
STOP_TIMEOUT_S = 60.0

HASTE = {"LML_DISCOGS_BUDGET_PER_MIN": "6000"}
"""The simulated Discogs has a limit of its own; behind the station's budget the demo would take a minute longer."""


@dataclass(frozen=True)
class Station:
    """A running station: where its UI and its LML are, and its database."""

    ui: str
    lml: str
    dsn: str

    def rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Ask the station's database."""
        with psycopg.connect(self.dsn, autocommit=True, options="-c search_path=wxyc_schema,public") as connection:
            return connection.execute(query, parameters).fetchall()

    def execute(self, query: str, *parameters: object) -> int:
        """Change the station's rows, as its own programs do; returns how many."""
        with psycopg.connect(self.dsn, autocommit=True, options="-c search_path=wxyc_schema,public") as connection:
            return connection.execute(query, parameters).rowcount

    def misbehave(self, **fault: object) -> None:
        """Let LML do something wrong."""
        assert httpx.post(f"{self.lml}/sandbox/faults", json=fault, trust_env=False).status_code == 201


@contextmanager
def running_station(home: Path) -> Iterator[Station]:
    """Bring up the sandbox station with everything done once, and its UI; Ctrl-C must leave nothing of it behind."""
    environ = {**SYSTEM, **HASTE, "WXYC_HOME": str(home), "HOME": str(home)}
    try:
        subprocess.run(
            [*PROGRAM, "demo"], cwd=ROOT, env=environ, check=True, capture_output=True, timeout=START_TIMEOUT_S
        )
        with _up(environ, home) as at:
            yield Station(at["ui"], at["LIBRARY_METADATA_URL"], EmbeddedPostgres(home).dsn("station"))
    finally:
        EmbeddedPostgres(home).stop()


@contextmanager
def _up(environ: Mapping[str, str], home: Path) -> Iterator[dict[str, str]]:
    arguments = ["up", "--port", str(_free_port()), "--lml-port", "0"]
    log = home / "up.log"
    with log.open("wb") as errors:
        up = subprocess.Popen(
            [*PROGRAM, *arguments],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        )
    assert up.stdout
    with up.stdout as printed:
        try:
            line = printed.readline()  # ends when it is up, or when it could not come up
            assert line, log.read_text()
            yield json.loads(line)
        finally:
            _stop(up, home)


def _stop(up: subprocess.Popen[bytes], home: Path) -> None:
    """Press Ctrl-C; what it leaves behind is ended, and then told of."""
    up.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        up.wait(STOP_TIMEOUT_S)
    left = _processes_of(home)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while running := _processes_of(home):
        assert time.monotonic() < deadline, f"processes {running} cannot be ended"
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        up.poll()
        time.sleep(0.1)
    assert not left, f"Ctrl-C left behind {left}"
    assert up.returncode == 0


def _processes_of(home: Path) -> dict[int, str]:
    """Return the processes whose home this is: the program, the webserver, the daemon, code servers and runs."""
    mine = f"WXYC_HOME={home}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or is somebody else's
            if mine in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:200]
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
