"""The sandbox station as commands bring it up: database, tables, our schema, LML."""

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO

import psycopg

from resources import sql_files
from wxyc_assets import databases
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.migrate import migrate
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.sample import SAMPLE_PRICES
from wxyc_assets.sandbox.station import StationReport, create, is_sandbox
from wxyc_assets.settings import DatabaseSettings, LmlSettings, RatingSettings, load

SANDBOX_KEY = "sandbox-key"


@contextmanager
def database_at_hand() -> Iterator[None]:
    """Run the embedded server, unless another database is configured; stop it at the end if this started it."""
    settings = load(DatabaseSettings)
    if settings.database_url and settings.dagster_database_url:
        yield
        return
    server = databases.embedded(settings)
    started = server.start() if not settings.database_url else False
    try:
        yield
    finally:
        if started:
            server.stop()


def create_station(*, sample: bool) -> StationReport:
    """Make the station's tables in the configured database, or the embedded one; raises StationError."""
    settings = load(DatabaseSettings)
    with databases.open_postgres().connect() as connection:
        return create(
            connection,
            station_schema=settings.station_schema,
            billing_schema=settings.billing_schema,
            sample=sample,
        )


def bring_up_station(*, demo: bool = False) -> StationReport | None:
    """Make ready what runs need: our schema, and the sample station in the embedded database, or for a demo anywhere."""
    configured = load(DatabaseSettings).database_url is not None
    report = create_station(sample=True) if demo or not configured else None
    migrate(databases.open_postgres())
    return report


@contextmanager
def lml_at_hand(port: int = 0) -> Iterator[SandboxLml | None]:
    """Serve the sandbox LML, and point this process and those it starts at it, unless an LML is configured.

    Raises CannotError for a real station without an LML: the sandbox would invent identities for real albums.
    """
    if load(LmlSettings).base_url:
        yield None
        return
    _require_sandbox(
        "LIBRARY_METADATA_URL is not set, and the station in DATABASE_URL is not a sandbox: the sandbox LML would "
        "invent identities for real albums. Set LIBRARY_METADATA_URL and LML_API_KEY, or unset DATABASE_URL"
    )
    with SandboxLml(port=port, api_key=SANDBOX_KEY) as lml, _set(settings_of(lml)):
        yield lml


@contextmanager
def prices_at_hand() -> Iterator[dict[str, str]]:
    """Let this process and those it starts rate with the sandbox's prices, unless a price file is configured.

    Yields what was set. A real station never gets them: without a price file of its own, rating is refused.
    """
    with databases.open_postgres().connect() as connection:
        stands_in = not load(RatingSettings).price_file and is_sandbox(connection)
    settings = {"PRICE_FILE": str(SAMPLE_PRICES)} if stands_in else {}
    with _set(settings):
        yield settings


def _require_sandbox(otherwise: str) -> None:
    with databases.open_postgres().connect() as connection:
        if not is_sandbox(connection):
            raise CannotError(otherwise)


@contextmanager
def _set(settings: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the environment while the block works."""
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]


def settings_of(lml: SandboxLml) -> dict[str, str]:
    """Return the settings that point a program at this LML."""
    return {"LIBRARY_METADATA_URL": lml.url, "LML_API_KEY": SANDBOX_KEY}


def stored_counts(connection: psycopg.Connection) -> dict[str, int]:
    """Return how many identities, sources of them, and albums with metadata the station has."""
    ((identities, sources, albums),) = connection.execute(sql_files.load("wxyc_assets.cli", "count_stored")).fetchall()
    return {"identities": identities, "sources": sources, "albums": albums}


def billed_since(connection: psycopg.Connection) -> dict[str, str]:
    """Return the hour of the first billing event as ``since``; nothing if there is none."""
    ((since,),) = connection.execute(sql_files.load("wxyc_assets.cli", "billed_since")).fetchall()
    return {"since": since} if since else {}


def wait_for_stop(*children: Callable[[], int | None]) -> None:
    """Return when somebody presses Ctrl-C or sends SIGTERM; raises CannotError when a child ends by itself."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    while not stop.wait(0.5):
        if any(poll() is not None for poll in children):
            raise CannotError("a Dagster process ended by itself: its log in WXYC_HOME/logs says why")


def print_early(stdout: IO[str], printed: dict[str, str]) -> None:
    """Print the one object of a command that goes on working."""
    from wxyc_assets.cli.program import print_object

    print_object(printed, stdout)
