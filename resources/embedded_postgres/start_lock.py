"""The lock with which one process at a time starts or stops a server; kill -9 of its holder releases it."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from resources.embedded_postgres.errors import EmbeddedPostgresError

_POLL_S = 0.05


@contextmanager
def held(lock: Path, deadline: float) -> Iterator[None]:
    """Hold the lock for the block. The file is never removed, since removal would admit two holders.

    ``deadline`` is on the monotonic clock, in seconds. Raises EmbeddedPostgresError when it passes.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _acquire(descriptor, lock, deadline)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, lock: Path, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Another process is still starting or stopping this server (it holds {lock}). Wait for it, or end"
                    " it, then try again."
                ) from None
            time.sleep(_POLL_S)
        else:
            return
