"""Runs ``wxyc`` as users run it: a process with arguments, an environment, two streams and an exit code.

Nine tenths of the time of a short ``wxyc run`` are the imports of Dagster and its PostgreSQL storage. The process is forked
from one that has imported them, and imports the program's own modules itself. Tests of the imports, of signals and of terminals
start an interpreter of their own instead.
"""

import atexit
import json
import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PRELOADED = ["dagster", "dagster_postgres"]

_forkserver = multiprocessing.get_context("forkserver")
_forkserver.set_forkserver_preload(PRELOADED)


@dataclass
class Finished:
    """What a command left: its exit code and its output."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def printed(self) -> dict[str, Any]:
        """The one object on stdout; any other number of lines is a failure."""
        (line,) = self.stdout.splitlines()
        printed: dict[str, Any] = json.loads(line)
        return printed


def run(arguments: Sequence[str], environ: Mapping[str, str], timeout_s: float) -> Finished:
    """Run a command to its end; kill it after ``timeout_s`` and raise subprocess.TimeoutExpired."""
    if "COVERAGE_PROCESS_CONFIG" in environ:  # coverage begins with an interpreter
        command = [sys.executable, "-m", "wxyc_assets", *arguments]
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=timeout_s, check=False)
        return Finished(done.returncode, done.stdout, done.stderr)
    with tempfile.TemporaryDirectory(prefix="wxyc-streams-") as folder:
        streams = [Path(folder) / name for name in ("stdout", "stderr")]
        for stream in streams:
            stream.touch()
        process = _forkserver.Process(target=_main, args=(list(arguments), dict(environ), list(map(str, streams))))
        process.start()
        process.join(timeout_s)
        stdout, stderr = (stream.read_text() for stream in streams)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["wxyc", *arguments], timeout_s, stdout, stderr)
        return Finished(process.exitcode, stdout, stderr)


def _main(arguments: list[str], environ: dict[str, str], streams: list[str]) -> None:
    os.environ.clear()
    os.environ.update(environ)
    for descriptor, path in enumerate([os.devnull, *streams]):
        os.dup2(os.open(path, os.O_RDWR | os.O_APPEND), descriptor)
    sys.argv = ["wxyc", *arguments]
    try:
        runpy.run_module("wxyc_assets", run_name="__main__")
    except Exception:  # noqa: BLE001 - as the interpreter does
        sys.excepthook(*sys.exc_info())
        sys.exit(1)
    finally:
        atexit._run_exitfuncs()  # multiprocessing ends its processes without them
        sys.stdout.flush()
        sys.stderr.flush()
