"""One service of ``wxyc up``: a child process that leads a process group of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import lifeline, process_group

TICK_SETTLE = {"DAGSTER_AUTOMATION_TICK_SETTLE_SECONDS": "1"}
"""Without it the automation misses an event that is committed after one with a higher id, until the next day."""

STOP_TIMEOUT_S = lifeline.BACKSTOP_S + 1.0
"""Longer than a service takes to end itself once its stdin has ended."""

RESTARTS = 3
RESTART_WINDOW_S = 600.0


class Service:
    """A service that is started again if it ends by itself, at most three times in ten minutes."""

    def __init__(self, name: str, arguments: Sequence[str], log: Path, descriptors: Sequence[int] = ()) -> None:
        self.name = name
        self.log = log
        self._command = [sys.executable, "-P", "-m", "wxyc_assets.cli.services.entry", name, *arguments]
        self._descriptors = descriptors
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts: list[float] = []

    def start(self) -> None:
        """Start the process. It ends when its stdin does, so it also ends after kill -9 of this one."""
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own arguments
                self._command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                pass_fds=self._descriptors,
                env=_environment(),
                start_new_session=True,
            )

    def ended(self) -> str | None:
        """Return how the process ended, or None while it runs."""
        code = self._process.poll() if self._process else None
        if code is None:
            return None
        return f"ended with code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"

    def restart(self, why: str) -> str:
        """Start the process again, and return what to say; raises CannotError if it ends too often."""
        now = time.monotonic()
        self._restarts = [at for at in self._restarts if now - at < RESTART_WINDOW_S]
        if len(self._restarts) == RESTARTS:
            raise CannotError(
                f"the Dagster {self.name} {why}, for the {RESTARTS + 1}th time in ten minutes: see {self.log}"
            )
        self._restarts.append(now)
        self.finish()
        self.start()
        return (
            f"the Dagster {self.name} {why}: started again ({len(self._restarts)} of {RESTARTS}), its log is {self.log}"
        )

    def request_stop(self) -> None:
        """Close the lifeline."""
        if self._process and self._process.stdin:
            self._process.stdin.close()

    def finish(self) -> None:
        """Wait for the end of the process after its lifeline was closed, and kill what is left of its group."""
        if self._process is None:
            return
        self.request_stop()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        process_group.kill(self._process.pid)
        self._process.wait()


def _environment() -> dict[str, str]:
    """Return a service's environment: the working folder is not on the import path, also not in what it starts itself."""
    inherited = {**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONSAFEPATH": "1"} | TICK_SETTLE
    if paths := [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]:  # an empty one means it
        return inherited | {"PYTHONPATH": os.pathsep.join(paths)}
    return {name: value for name, value in inherited.items() if name != "PYTHONPATH"}
