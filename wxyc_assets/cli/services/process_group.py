"""The processes of one process group: a service, its code servers and their runs."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_POLL_S = 0.05


def members(group: int) -> list[int]:
    """Return the processes of a group that have not ended, without this process."""
    return [pid for pid, of, state in _processes() if of == group and state not in "ZX" and pid != os.getpid()]


def wait_until_empty(group: int, timeout_s: float) -> bool:
    """Wait for the end of all processes of a group except this one; return whether they have ended."""
    deadline = time.monotonic() + timeout_s
    while members(group):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_S)
    return True


def kill(group: int) -> None:
    """Kill all processes of a group except this one, also those that start meanwhile."""
    while left := members(group):
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_S)


def _processes() -> Iterator[tuple[int, int, str]]:
    """Return the id, the group and the state of every process."""
    if not (_PROC / "self" / "stat").exists():
        yield from _listed()
        return
    for entry in _PROC.glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            # The name of the program is in parentheses, and may hold any character.
            state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
            yield int(entry.name), int(group), state


def _listed() -> Iterator[tuple[int, int, str]]:
    shown = subprocess.run(["/bin/ps", "-A", "-o", "pid=,pgid=,stat="], capture_output=True, text=True, check=True)
    for line in shown.stdout.splitlines():
        pid, group, state = line.split()
        yield int(pid), int(group), state[0]
