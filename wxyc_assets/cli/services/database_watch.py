"""Watches PostgreSQL under ``wxyc up``: brings the embedded one back if it goes away, and reports on a configured one."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr

from resources.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, Lease
from resources.postgres import Postgres, connect_error_reason, keepalives
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.settings import DatabaseSettings

LOOK_EVERY_S = 2.0
TRIES = 5
TRY_WINDOW_S = 600.0
PAUSE_S = 2.0

DEFAULT_PORT = "5432"

CONFIGURED_EVERY_S = 5.0
CONNECT_TIMEOUT_S = 4
"""How long a look waits for a server behind a network that answers nothing; `up` looks at nothing else meanwhile."""


class Watch(Protocol):
    """A watch on one server."""

    @property
    def holds_services(self) -> bool:
        """Whether Dagster's processes cannot start, because the server of their storage did not answer at the last look."""

    def look(self, *, at_once: bool = False) -> None:
        """Look at the server, if it is time or ``at_once``, and say what has changed."""


def configured_watches(settings: DatabaseSettings, say: Callable[[str], object]) -> "Iterator[ConfiguredDatabaseWatch]":
    """Yield a watch for each server that the settings name."""
    configured = {
        "DATABASE_URL": settings.database_url,
        "DAGSTER_DATABASE_URL": settings.dagster_database_url,
        "BILLING_DATABASE_URL": settings.billing_database_url,
    }
    storage = settings.dagster_database_url or settings.database_url
    watched = set()
    for setting, url in configured.items():
        if url and (server := _server(url)) not in watched:
            watched.add(server)
            has_storage = storage is not None and server == _server(storage)
            yield ConfiguredDatabaseWatch(url.get_secret_value(), setting, say, has_storage=has_storage)


def _server(url: SecretStr) -> tuple[object, object]:
    parts = conninfo_to_dict(url.get_secret_value())
    return parts.get("host"), parts.get("port") or DEFAULT_PORT


class ConfiguredDatabaseWatch:
    """Opens a session every five seconds, and says when that begins to fail and when it works again."""

    def __init__(self, dsn: str, setting: str, say: Callable[[str], object], *, has_storage: bool = True) -> None:
        self._dsn = dsn
        self._has_storage = has_storage
        self._name = f"the PostgreSQL of {setting}, {Postgres(dsn).location()},"
        self._say = say
        self._looked_at = time.monotonic()
        self._gone_at = 0.0
        self.answers = True

    @property
    def holds_services(self) -> bool:
        """Whether Dagster's storage is on this server, and the server did not answer at the last look."""
        return self._has_storage and not self.answers

    def look(self, *, at_once: bool = False) -> None:
        """Say that the server does not answer, with the reason, or that it does again."""
        now = time.monotonic()
        if not at_once and now - self._looked_at < CONFIGURED_EVERY_S:
            return
        self._looked_at = now
        problem = self._find_problem()
        if problem and self.answers:
            self._gone_at = now
            self._say(f"{self._name} does not answer: {problem}. Runs fail until it does")
        elif not problem and not self.answers:
            gone_s = now - self._gone_at
            self._say(
                f"{self._name} answers again, after {gone_s:.0f} s; the Dagster processes connect to it by themselves"
            )
        self.answers = not problem

    def _find_problem(self) -> str:
        try:
            with psycopg.connect(
                self._dsn,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name="wxyc up",
                **keepalives(self._dsn),
            ):
                return ""
        except psycopg.OperationalError as error:
            return connect_error_reason(error)


class DatabaseWatch:
    """Looks at the server every two seconds, and starts it again at most five times in ten minutes."""

    def __init__(self, server: EmbeddedPostgres, lease: Lease, say: Callable[[str], object]) -> None:
        self._server = server
        self._lease = lease
        self._say = say
        self._looked_at = time.monotonic()
        self._tries: list[float] = []
        self.holds_services = False

    def look(self, *, at_once: bool = False) -> None:
        """Start the server if it does not answer; raises CannotError with the reason if that fails too often."""
        now = time.monotonic()
        if not at_once and now - self._looked_at < LOOK_EVERY_S:
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
