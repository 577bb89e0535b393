"""The program as its users have it: a process with an environment, two streams and an exit code."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from resources.embedded_postgres import EmbeddedPostgres
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.sample import SAMPLE_PRICES

SYSTEM = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "LD_LIBRARY_PATH") if name in os.environ}


@dataclass
class Finished:
    exit_code: int
    stdout: str
    stderr: str

    @property
    def printed(self) -> dict[str, Any]:
        """The one object on stdout; more or less than one line is a failure."""
        (line,) = self.stdout.splitlines()
        return json.loads(line)


@pytest.fixture(scope="session")
def home():
    """A state folder that the embedded server's account can get into, and a server that is gone in the end."""
    folder = Path(tempfile.mkdtemp(prefix="wxyc-cli-"))
    folder.chmod(0o711)
    yield folder
    EmbeddedPostgres(folder).stop()
    shutil.rmtree(folder)


@pytest.fixture
def environ(home, monkeypatch):
    """What every command gets: nothing but a home."""
    return {**SYSTEM, "WXYC_HOME": str(home), "HOME": str(home)}


@pytest.fixture
def wxyc(environ):
    def run(*arguments, timeout=120, **settings):
        process = subprocess.run(
            [sys.executable, "-m", "wxyc_assets", *arguments],
            env={**environ, **{name: value for name, value in settings.items() if value is not None}},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Finished(process.returncode, process.stdout, process.stderr)

    return run


@pytest.fixture
def lml():
    with SandboxLml() as lml:
        yield lml


@pytest.fixture
def at_station(station, server, lml):
    """The settings of a configured station, its own Dagster storage and an LML."""
    dagster = server.create_database()
    yield {
        "DATABASE_URL": station.dsn,
        "DAGSTER_DATABASE_URL": dagster,
        "LIBRARY_METADATA_URL": lml.url,
        "LML_API_KEY": "sandbox-key",
        "PRICE_FILE": str(SAMPLE_PRICES),
    }
    server.drop_database(dagster)


@pytest.fixture
def free_port():
    """Return ports that nobody uses, or, with ``keep``, that this test uses itself."""
    kept = []

    def port(*, keep=False):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        number = listener.getsockname()[1]
        if keep:
            listener.listen()
            kept.append(listener)
        else:
            listener.close()
        return number

    yield port
    for listener in kept:
        listener.close()
