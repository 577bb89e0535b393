"""The use of a server by a command that needs it for a while: the last of them to leave stops what one of them started."""

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from resources.embedded_postgres.errors import EmbeddedPostgresError
from resources.embedded_postgres.layout import Layout

LEAVE = b"."
_STOP_TIMEOUT_S = 120.0
_POLL_S = 0.05


class Lease:
    """One use of the server. ``descriptor`` is a shared lock: a child that inherits it uses the server as well.

    A process of its own, the keeper, ends the lease: also after kill -9 of this process, which ends the keeper's stdin.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.descriptor = open_users(layout)
        fcntl.flock(self.descriptor, fcntl.LOCK_SH)  # waits for a keeper that is stopping the server
        self._keeper = self._start_keeper()

    def keep(self) -> None:
        """Start another keeper if ours was killed."""
        if self._keeper.poll() is not None:
            self._keeper.communicate()
            self._keeper = self._start_keeper()

    def end(self) -> None:
        """Leave the server; returns once it has stopped, if this was its last use. Raises EmbeddedPostgresError."""
        self.keep()
        os.close(self.descriptor)
        try:
            with suppress(BrokenPipeError):
                _, errors = self._keeper.communicate(LEAVE, timeout=_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            raise EmbeddedPostgresError(f"The server in {self._layout.data} is still ending.") from None
        if self._keeper.returncode:
            raise EmbeddedPostgresError(errors.decode(errors="replace").strip())

    def _start_keeper(self) -> "subprocess.Popen[bytes]":
        home = str(self._layout.state.parent)
        return subprocess.Popen(  # noqa: S603 - our own interpreter, our own arguments
            [sys.executable, "-P", "-m", "resources.embedded_postgres.keeper", home, str(self.descriptor)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=[self.descriptor],
            start_new_session=True,  # neither Ctrl-C nor a hangup reaches it
        )


@contextmanager
def alone(layout: Layout, timeout_s: float) -> Iterator[bool]:
    """Yield whether no lease exists; then none begins during the block. Waits up to ``timeout_s`` for the end of others."""
    descriptor = open_users(layout)
    deadline = time.monotonic() + timeout_s
    try:
        while not (locked := _lock(descriptor)) and time.monotonic() < deadline:
            time.sleep(_POLL_S)
        yield locked
    finally:
        os.close(descriptor)


def open_users(layout: Layout) -> int:
    """Open the file that each lease locks. It is never removed, since removal would admit two locks."""
    return os.open(layout.users, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
