"""The processes of this machine: which session each is in, what it was started with. A process that has ended is left out."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

POLL_S = 0.02
_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process that lives; ``environ`` is what it was started with. Only Linux shows ``environ`` and ``arguments``."""

    pid: int
    session: int
    environ: tuple[bytes, ...] = ()
    arguments: tuple[bytes, ...] = ()


def living() -> Iterator[Process]:
    """Return every process that has not ended."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True)
    for pid, stat in map(str.split, listed.stdout.splitlines()):
        if not stat.startswith("Z"):
            with suppress(OSError):  # it has ended meanwhile, or is another user's
                yield Process(
                    int(pid), os.getsid(int(pid)), *(_words(int(pid), name) for name in ("environ", "cmdline"))
                )


def end(wanted: Callable[[Process], bool], timeout_s: float, number: signal.Signals = signal.SIGKILL) -> list[int]:
    """Send a signal to every process that is wanted, until none is left or the time is over; return those left."""
    deadline = time.monotonic() + timeout_s
    signalled: set[int] = set()
    while left := {process.pid for process in living() if wanted(process) and process.pid != os.getpid()}:
        if time.monotonic() > deadline:
            return sorted(left)
        for pid in left - signalled:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        signalled |= left
        time.sleep(POLL_S)
    return []


def _words(pid: int, name: str) -> tuple[bytes, ...]:
    if not _PROC.joinpath("self").exists():
        return ()
    return tuple(_PROC.joinpath(str(pid), name).read_bytes().split(b"\0"))
