"""Brings the embedded PostgreSQL back if it goes away under ``wxyc up``."""

import time
from collections.abc import Callable

from resources.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, Lease
from wxyc_assets.cli.outcome import CannotError

LOOK_EVERY_S = 2.0
TRIES = 5
TRY_WINDOW_S = 600.0
PAUSE_S = 2.0


class DatabaseWatch:
    """Looks at the server every two seconds, and starts it again at most five times in ten minutes."""

    def __init__(self, server: EmbeddedPostgres, lease: Lease, say: Callable[[str], object]) -> None:
        self._server = server
        self._lease = lease
        self._say = say
        self._looked_at = time.monotonic()
        self._tries: list[float] = []

    def look(self) -> None:
        """Start the server if it does not answer; raises CannotError with the reason if that fails too often."""
        now = time.monotonic()
        if now - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now
        self._lease.keep()
        if not self._server.running():
            self._bring_back()

    def _bring_back(self) -> None:
        reason = "it ends again soon after each start"
        while True:
            now = time.monotonic()
            self._tries = [at for at in self._tries if now - at < TRY_WINDOW_S]
            if len(self._tries) == TRIES:
                raise CannotError(f"PostgreSQL is gone, and {TRIES} starts did not bring it back: {reason}")
            self._tries.append(now)
            self._say(f"PostgreSQL does not answer: starting it again ({len(self._tries)} of {TRIES})")
            try:
                self._server.start(until_unused=True)
            except EmbeddedPostgresError as error:
                reason = str(error)
                self._say(f"PostgreSQL did not start: {reason}")
                time.sleep(PAUSE_S)
            else:
                self._say("PostgreSQL answers again; the Dagster processes connect to it by themselves")
                return
