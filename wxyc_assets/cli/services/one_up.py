"""One ``wxyc up`` a home: the lock that it holds, and what it tells others about itself."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wxyc_assets.cli.outcome import CannotError

LOCK = "up.lock"
SERVICES_LOCK = "up-services.lock"
LEFTOVER_TIMEOUT_S = 30.0
LOOK_TIMEOUT_S = 0.5
"""Longer than ``find`` holds the lock."""
_POLL_S = 0.1


@dataclass(frozen=True)
class RunningUp:
    """The ``wxyc up`` of a home: its process id, and the URL of its UI once it has one."""

    pid: int
    ui: str | None = None

    def __str__(self) -> str:
        return f"process {self.pid}, {f'its UI is at {self.ui}' if self.ui else 'which is starting'}"


@dataclass(frozen=True)
class Held:
    """The locks of this ``wxyc up``. Children inherit ``services``: it stays locked while one of them lives."""

    lock: int
    services: int

    def announce(self, ui: str | None) -> None:
        """Tell others the id of this process, and the URL of its UI."""
        text = json.dumps({"pid": os.getpid(), "ui": ui}).encode()
        os.pwrite(self.lock, text, 0)
        os.ftruncate(self.lock, len(text))


@contextmanager
def held(home: Path, say: Callable[[str], object]) -> Iterator[Held]:
    """Be the one ``wxyc up`` of this home for the block.

    Waits for the end of what an earlier one left when it was killed. Raises CannotError, which names the other one, if it runs.
    """
    with _opened(home / LOCK) as lock, _opened(home / SERVICES_LOCK) as services:
        if not _locked(lock, LOOK_TIMEOUT_S):
            raise CannotError(
                f"`wxyc up` already runs on {home}: {_read(lock) or 'another process'}. "
                "Use that one, stop it with Ctrl-C or `wxyc down --force`, or set another WXYC_HOME"
            )
        ours = Held(lock, services)
        ours.announce(None)
        _wait_for_leftovers(services, say)
        yield ours


def find(home: Path) -> RunningUp | None:
    """Return the ``wxyc up`` that runs on a home."""
    if not (home / LOCK).exists():
        return None
    with _opened(home / LOCK) as lock:
        return None if _locked(lock) else _read(lock) or RunningUp(0)


def _wait_for_leftovers(services: int, say: Callable[[str], object]) -> None:
    if _locked(services):
        return
    say("waiting for the end of the Dagster processes of a `wxyc up` that was killed")
    if not _locked(services, LEFTOVER_TIMEOUT_S):
        raise CannotError("the Dagster processes of a `wxyc up` that was killed do not end: end them, then try again")


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _locked(descriptor: int, timeout_s: float = 0.0) -> bool:
    """Lock the file, and return whether that worked; wait for another process no longer than ``timeout_s``."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_S)
        else:
            return True


def _read(descriptor: int) -> RunningUp | None:
    """Return what the holder announced; nothing if it is about to."""
    with suppress(ValueError, KeyError, TypeError):
        told: dict[str, Any] = json.loads(os.pread(descriptor, 4096, 0))
        return RunningUp(int(told["pid"]), told["ui"])
    return None
