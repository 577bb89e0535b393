"""Stops the embedded server for ``wxyc down``, and only with ``--force`` one that is in use."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import one_up
from wxyc_assets.database import connections
from wxyc_assets.settings import HomeSettings

UP_TIMEOUT_S = 60.0


def stop_station(settings: HomeSettings, *, force: bool) -> bool:
    """Stop the embedded server, and with ``force`` first the ``wxyc up`` of this home; return whether one was running.

    Raises CannotError, which names the user of the server, without ``force``.
    """
    home, server = settings.home.absolute(), connections.embedded(settings)
    running = server.running()
    if up := one_up.find(home):
        if not force:
            raise CannotError(f"`wxyc up` runs on {home} ({up}): stop it with Ctrl-C, or with `wxyc down --force`")
        _end(home, up)
    elif server.in_use() and not force:
        raise CannotError(
            f"`wxyc demo` uses the PostgreSQL of {home}: let it end, or stop both with `wxyc down --force`"
        )
    return server.stop() or running


def _end(home: Path, up: one_up.RunningUp) -> None:
    """Let a ``wxyc up`` end as with Ctrl-C, and wait for that."""
    if up.pid:
        with suppress(ProcessLookupError):
            os.kill(up.pid, signal.SIGTERM)
    deadline = time.monotonic() + UP_TIMEOUT_S
    while one_up.find(home):
        if time.monotonic() > deadline:
            raise CannotError(f"`wxyc up` ({up}) does not end: kill it, then try again")
        time.sleep(0.2)
