"""Starts what is not configured: the embedded database with the sample station, the sandbox LML, the sample prices."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click
import psycopg

from resources import sql_files
from resources.embedded_postgres import Lease
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import one_up, ports
from wxyc_assets.database import connections
from wxyc_assets.database.migrate import migrate
from wxyc_assets.monitoring.partition_status.store import first_event_hour
from wxyc_assets.runs.partitions import HOUR
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.sample import SAMPLE_PRICES
from wxyc_assets.sandbox.station import StationReport, create, is_sandbox
from wxyc_assets.settings import DatabaseSettings, HomeSettings, LmlSettings, RatingSettings, UiSettings, load

SANDBOX_KEY = "sandbox-key"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}
LML_CACHE = "sandbox-lml-cache"
"""The file in WXYC_HOME with which the sandbox LML remembers what is in its cache, as the real one does."""


@contextmanager
def ensure_database() -> Iterator[Lease | None]:
    """Run the embedded server, unless a database is configured; yield the use of it.

    Afterwards the server stops if a command like this one started it, and no other such command uses it.
    """
    settings = load(DatabaseSettings)
    if settings.database_url:
        yield None
        return
    with connections.embedded(settings).leased() as lease:
        yield lease


def create_station(*, sample: bool) -> StationReport:
    """Create the station's tables in the configured database, or in the embedded one; raises StationError."""
    settings = load(DatabaseSettings)
    if settings.billing_database_url:
        raise CannotError(
            "a sandbox station has its billing tables beside its other tables: unset BILLING_DATABASE_URL for it"
        )
    with connections.open_postgres().connect() as connection:
        return create(
            connection,
            station_schema=settings.station_schema,
            billing_schema=settings.billing_schema,
            sample=sample,
        )


def prepare_station(*, demo: bool = False) -> StationReport | None:
    """Create what runs need: our schema, and the sample station in the embedded database, for a demo in any database."""
    configured = load(DatabaseSettings).database_url is not None
    report = create_station(sample=True) if demo or not configured else None
    for postgres in connections.distinct(connections.open_postgres(), connections.open_billing()):
        migrate(postgres)
    return report


@contextmanager
def ensure_lml(port: int = 0, *, demo: bool = False) -> Iterator[SandboxLml | None]:
    """Serve the sandbox LML, and point this process and its children at it, unless an LML is configured for this station.

    The sample albums are never asked of the station's LML: a demo and the embedded station use the sandbox LML, whatever is
    configured. Raises CannotError for a real station without an LML: the sandbox would invent identities for real albums.
    """
    configured = load(LmlSettings).base_url
    if configured and (demo or load(DatabaseSettings).database_url is None or not may_ask(configured)):
        click.echo("LIBRARY_METADATA_URL is not used: a sandbox station asks the sandbox LML only", err=True)
    elif configured:
        yield None
        return
    _require_sandbox(
        "LIBRARY_METADATA_URL is not set, and the station in DATABASE_URL is not a sandbox: the sandbox LML would "
        "invent identities for real albums. Set LIBRARY_METADATA_URL and LML_API_KEY, or unset DATABASE_URL"
    )
    server = SandboxLml(
        port=port, api_key=SANDBOX_KEY, discogs=DiscogsConfig(cache_file=load(HomeSettings).home / LML_CACHE)
    )
    with ExitStack() as stack:
        try:
            lml = stack.enter_context(server)
        except OSError as error:
            raise ports.taken(port, "--lml-port", error) from error
        stack.enter_context(_environment(lml_environment(lml)))
        yield lml


def may_ask(lml_url: str) -> bool:
    """Say whether the station may ask this LML: a sandbox station only one on this machine, as `wxyc sandbox lml` is."""
    if is_local(lml_url):
        return True
    if load(DatabaseSettings).database_url is None:
        return False
    with connections.open_postgres().connect() as connection:
        return not is_sandbox(connection)


def is_local(lml_url: str) -> bool:
    """Whether an LML is on this machine."""
    return urlsplit(lml_url).hostname in LOOPBACK


def require_own_lml(lml_url: str) -> None:
    """Raise CannotError if a sandbox station would ask an LML that is not on this machine."""
    if not may_ask(lml_url):
        raise CannotError(
            "the station is a sandbox, and LIBRARY_METADATA_URL is an LML elsewhere, which is never asked about sample "
            "albums. Use the settings that `wxyc up` or `wxyc sandbox lml` prints, or set DATABASE_URL to the station's"
        )


@contextmanager
def ensure_prices() -> Iterator[dict[str, str]]:
    """Point this process and its children at the sandbox's prices, unless a price file is configured.

    Yields the variables that it set. A real station never gets the sandbox's prices: rating needs a price file of its own.
    """
    with connections.open_billing().connect() as connection:
        use_sample = not load(RatingSettings).price_file and is_sandbox(connection)
    settings = {"PRICE_FILE": str(SAMPLE_PRICES)} if use_sample else {}
    with _environment(settings):
        yield settings


def _require_sandbox(refusal: str) -> None:
    with connections.open_postgres().connect() as connection:
        if not is_sandbox(connection):
            raise CannotError(refusal)


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables for the time of the block."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def lml_environment(lml: SandboxLml) -> dict[str, str]:
    """Return the settings that point a program at this LML."""
    return {"LIBRARY_METADATA_URL": lml.url, "LML_API_KEY": SANDBOX_KEY}


def stored_counts(connection: psycopg.Connection) -> dict[str, int]:
    """Return how many identities, sources of identities, and albums with metadata the station has."""
    ((identities, sources, albums),) = connection.execute(sql_files.load("wxyc_assets.cli", "count_stored")).fetchall()
    return {"identities": identities, "sources": sources, "albums": albums}


@contextmanager
def ensure_billing_start() -> Iterator[None]:
    """Let the hours of rated_usage begin with the first billing event, for this process and its children, unless configured."""
    with connections.open_billing().connect() as connection:
        first = None if load(RatingSettings).billing_start else first_event_hour(connection)
    with _environment({"BILLING_START": first.isoformat()} if first else {}):
        yield


def configured_ui_url() -> str | None:
    """Return where the UI is: WXYC_UI_URL, else the UI of the ``wxyc up`` that runs on this home."""
    if configured := load(UiSettings).ui_url:
        return str(configured)
    running = one_up.find(load(HomeSettings).home.absolute())
    return running.ui if running else None


@contextmanager
def ensure_ui_url(ui: str) -> Iterator[None]:
    """Let the alerts of this process and its children link to this UI, unless another one is configured."""
    with _environment({} if load(UiSettings).ui_url else {"WXYC_UI_URL": ui}):
        yield


def billed_since(connection: psycopg.Connection) -> dict[str, str]:
    """Return the hour of the first billing event as ``since``; nothing if no hour with an event has closed."""
    first = first_event_hour(connection)
    return {"since": first.isoformat()} if first and first + HOUR <= datetime.now(UTC) else {}
