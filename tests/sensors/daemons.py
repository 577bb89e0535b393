"""Runs Dagster's daemon in a process for a test, and leaves none behind, however the test ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STOP_TIMEOUT_S = 20.0


@contextmanager
def running_daemon(environ: Mapping[str, str], log: Path) -> Iterator[int]:
    """Run ``a_daemon`` in a session of its own, whose id is yielded; the session is empty in the end."""
    workspace = str(Path(environ["DAGSTER_HOME"]) / "workspace.yaml")
    with log.open("wb") as output:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "tests.sensors.a_daemon", "--workspace", workspace],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield daemon.pid
        finally:
            daemon.terminate()
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(STOP_TIMEOUT_S)
            _empty(daemon)


def processes_of(session: int) -> list[int]:
    """Return the processes of a session: the daemon, its code servers, and the runs that these started."""
    listed = subprocess.run(["ps", "-o", "pid=", "--sid", str(session)], capture_output=True, text=True, check=False)
    return [int(pid) for pid in listed.stdout.split()]


def _empty(daemon: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while left := processes_of(daemon.pid):
        assert time.monotonic() < deadline, f"processes {left} cannot be killed"
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        daemon.poll()  # what has ended is listed until its parent knows
        time.sleep(0.1)


def switch_on(sensor: str, environ: Mapping[str, str]) -> None:
    """Switch a sensor on, as a person does."""
    workspace = str(Path(environ["DAGSTER_HOME"]) / "workspace.yaml")
    command = [sys.executable, "-m", "dagster", "sensor", "start", sensor, "--workspace", workspace]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def comes_to(wanted: object, look: Callable[[], object], timeout_s: float = 120.0) -> None:
    """Wait until what is looked at is what is wanted."""
    deadline = time.monotonic() + timeout_s
    while look() != wanted and time.monotonic() < deadline:
        time.sleep(0.2)
    assert look() == wanted
