"""The simulated station: a database with its own clock, an LML, a price file, and what the observer knows of them."""

import shutil
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self

import psycopg

from resources.postgres import Postgres
from tests.concurrency.enrichment_worker import WATCH
from tests.simulation import clock as simulated_clock
from tests.simulation import prices
from tests.simulation.clock import SimulatedClock
from tests.simulation.relay import InterruptingRelay
from tests.simulation.words import Name, Words
from tests.wxyc_assets.assets.rated_usage.oracle import Expected, Prices
from wxyc_assets.database.migrate import migrate
from wxyc_assets.sandbox import station as sandbox_station
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig, SimulatedDiscogs
from wxyc_assets.sandbox.lml.server import SandboxLml

START = datetime(2026, 3, 2, tzinfo=UTC)
BILLING_START = datetime(2026, 3, 1, tzinfo=UTC)
TRAILING_H = 6
DISCOGS_PER_MIN = 30

ROOMS = "wxyc_assets%"
"""The application names of the program's sessions."""


def prepare(dsn: str) -> None:
    """Create the station's tables and the program's schema in an empty database, as a template for simulations."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        simulated_clock.install(connection)
        simulated_clock.start(connection, START)
        sandbox_station.create(connection, sample=False)
        connection.execute("INSERT INTO wxyc_schema.genres (id, genre_name) VALUES (1, 'Rock')")
        connection.execute("INSERT INTO wxyc_schema.format (id, format_name) VALUES (1, 'cd')")
        connection.execute("SET search_path TO wxyc_schema, public")
        connection.execute(WATCH)
    migrate(Postgres(dsn))


@dataclass
class RatedHour:
    """The last rating of an hour: the events that it saw, and what the reference formula makes of them."""

    rated_at: datetime
    run_id: str
    digest: str
    seen: frozenset[str]
    expected: Expected


@dataclass
class Known:
    """What the observer knows without the program: names, other writers' values, price files, ratings, acceptances."""

    names: defaultdict[int, set[Name]] = field(default_factory=lambda: defaultdict(set))
    manual: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    links: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    books: dict[str, Prices] = field(default_factory=dict)
    """Price files that were ever in force, by digest."""
    effective: dict[str, datetime] = field(default_factory=dict)
    """Since when they hold, by digest, where they say so."""
    rated: dict[datetime, RatedHour] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    """Events that an operator accepted as unbilled."""
    releases: defaultdict[int, set[int]] = field(default_factory=lambda: defaultdict(set))
    """The releases that each rotation row ever had."""


class World:
    """One simulated station, in a database that ``prepare`` prepared. Use it in a ``with`` block.

    ``postgres`` is the program's way to the database, through the relay; ``station`` is the other writers' session.
    """

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self.station = psycopg.connect(dsn, autocommit=True, application_name="worker")
        self.station.execute("SET search_path TO wxyc_schema, public")
        simulated_clock.start(self.station, START)
        self.clock = SimulatedClock(dsn)
        self.relay = InterruptingRelay(Postgres(dsn))
        self.postgres = self.relay.postgres
        self.known = Known()
        self.words = Words()
        discogs = SimulatedDiscogs(
            DiscogsConfig(limit_calls=None, cold_items=None),
            clock_ns=self.clock.monotonic_ns,
            sleep=self._discogs_works,
        )
        self.lml = SandboxLml(discogs=discogs, tracks=True, on_answer=self.words.hear)
        self.folder = Path(tempfile.mkdtemp(prefix="wxyc-simulation-"))
        self.price_file: str = prices.MISSING
        self.problems: list[str] = []
        self.faults = 0
        """Faults of LML that were armed so far."""
        self.runs = 0
        self.last_run: Any = None
        """How the run of this step ended; None for a step of another kind."""
        self.interrupted = False

    def __enter__(self) -> Self:
        self.lml.__enter__()
        self.install_prices("first")
        return self

    def __exit__(self, *_: object) -> None:
        self.lml.stop()
        self.relay.close()
        self.clock.close()
        self.station.close()
        shutil.rmtree(self.folder)

    @property
    def prices_path(self) -> Path:
        return self.folder / "prices.yaml"

    def install_prices(self, name: str) -> None:
        """Install a price file by its name, as price-fetch does."""
        hour = self.clock.now().replace(minute=0, second=0, microsecond=0)
        text = prices.content(name, effective_from=hour)
        self.price_file = name
        self.prices_path.unlink(missing_ok=True)
        if text is None:
            return
        self.prices_path.write_bytes(text)
        if name != prices.BROKEN:
            digest = prices.digest(text)
            self.known.books[digest] = prices.BOOKS["raised" if name == "effective later" else name]
            if name == "effective later":
                self.known.effective[digest] = hour

    @property
    def digest(self) -> str | None:
        """The digest of the price file in force; None: there is none that could be used."""
        if self.price_file in {prices.MISSING, prices.BROKEN}:
            return None
        return prices.digest(self.prices_path.read_bytes())

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What the observer reads."""
        cursor = self.station.execute(query, parameters or None)
        return cursor.fetchall() if cursor.description else []

    def events_of(self, hour: datetime) -> list[dict[str, Any]]:
        """The usage events of one hour, as they are stored now."""
        names = (
            *("request_id", "auth_id", "resource_id", "model", "base_model", "prompt_tokens", "cached_tokens"),
            *("completion_tokens", "event_ts", "created_at"),
        )
        found = self.rows(
            f"SELECT {', '.join(names)} FROM billing_event WHERE COALESCE(event_ts, created_at) >= %s "
            "AND COALESCE(event_ts, created_at) < %s",
            hour,
            hour + timedelta(hours=1),
        )
        return [dict(zip(names, row, strict=True)) for row in found]

    def own_sessions(self) -> list[tuple[Any, ...]]:
        """The program's sessions in the database."""
        return self.rows(
            "SELECT application_name, state, query FROM pg_stat_activity WHERE datname = current_database() "
            "AND application_name LIKE %s",
            ROOMS,
        )

    def end_sessions(self, *, only_locks: bool = False) -> None:
        """Terminate the program's sessions, or only those that hold locks."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a WHERE a.datname = current_database() "
                "AND a.application_name LIKE %s AND (NOT %s OR EXISTS "
                "(SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory'))",
                [ROOMS, only_locks],
            )

    async def _discogs_works(self, seconds: float) -> None:
        # One call after the other: with five at once, the time of a call would have to be shared by those that run with it.
        self.clock.advance(seconds)
