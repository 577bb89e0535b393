"""The lock that lets one process at a time start or stop a server; it ends with its holder, also under kill -9."""

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
    """Hold the lock for the duration; the file stays for ever, since removing it would let two holders in.

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
