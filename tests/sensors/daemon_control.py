"""Runs Dagster's daemon in a process for a test, and ends it and its children, however the test ends."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from tests.processes import ROOT, running

SWITCH_TIMEOUT_S = 240.0
STOP_TIMEOUT_S = 20.0
"""How long the daemon may take to stop by itself; then it is killed, with all that it started."""

TIMEOUT_S = 240.0
POLL_S = 0.2
LOG_TAIL_CHARACTERS = 4000

T = TypeVar("T")


@contextmanager
def running_daemon(environ: Mapping[str, str], log: Path) -> Iterator[int]:
    """Run ``daemon_process`` in a session of its own, whose id is yielded; an error of the block shows the end of its log."""
    command = [sys.executable, "-m", "tests.sensors.daemon_process", "--workspace", _workspace(environ)]
    with (
        log.open("wb") as output,
        running(command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as daemon,
    ):
        try:
            yield daemon.pid
        except BaseException as error:
            error.add_note(f"the end of the daemon's log:\n{log.read_text(errors='replace')[-LOG_TAIL_CHARACTERS:]}")
            raise
        finally:
            daemon.terminate()
            with suppress(subprocess.TimeoutExpired):
                daemon.wait(STOP_TIMEOUT_S)


def switch_on(sensor: str, environ: Mapping[str, str]) -> None:
    """Switch a sensor on, as the UI does."""
    command = [sys.executable, "-m", "dagster", "sensor", "start", sensor, "--workspace", _workspace(environ)]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=SWITCH_TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr


def wait_until_equal(wanted: object, look: Callable[[], object], timeout_s: float = TIMEOUT_S) -> None:
    """Wait until ``look()`` returns ``wanted``; else fail with every value that it returned, and when."""
    _wait(lambda found: found == wanted, repr(wanted), look, timeout_s)


def wait_until_above(least: int, look: Callable[[], int], timeout_s: float = TIMEOUT_S) -> None:
    """Wait until ``look()`` returns more than ``least``; else fail with every value that it returned, and when."""
    _wait(lambda found: found > least, f"more than {least}", look, timeout_s)


def _wait(holds: Callable[[T], bool], wanted: str, look: Callable[[], T], timeout_s: float) -> None:
    began = time.monotonic()
    seen: list[tuple[float, T]] = []
    while not holds(found := look()):
        waited_s = time.monotonic() - began
        if not seen or seen[-1][1] != found:
            seen.append((waited_s, found))
        if waited_s > timeout_s:
            values = "\n".join(f"  from {since_s:.1f} s: {value!r}" for since_s, value in seen)
            raise AssertionError(f"waited {waited_s:.0f} s for {wanted}, and saw\n{values}")
        time.sleep(POLL_S)


def _workspace(environ: Mapping[str, str]) -> str:
    return str(Path(environ["DAGSTER_HOME"]) / "workspace.yaml")
