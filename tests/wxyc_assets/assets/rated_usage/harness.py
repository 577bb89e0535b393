"""A station with usage events and prices, runs of rated_usage on it, and what they billed and logged."""

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from psycopg.rows import dict_row

from tests.processes import running
from tests.run_harness import StationRuns
from tests.wxyc_assets.assets.rated_usage.oracle import Prices
from wxyc_assets.assets.price_book.book import PriceBook
from wxyc_assets.assets.price_book.load import load_price_book
from wxyc_assets.assets.rated_usage import store
from wxyc_assets.assets.rated_usage.counters import RatingResult
from wxyc_assets.assets.rated_usage.run import HourDone, Request, RunReport, Tools, run
from wxyc_assets.runs.partitions import hour_key

TEN = datetime(2026, 6, 8, 10, tzinfo=UTC)
"""The contract's window: 2026-06-08T10:00Z."""
HOUR = timedelta(hours=1)
PRICES = Prices({"b": ("0.000005", "0.0000005", "0.00002")})
COLUMNS = (
    *("request_id", "auth_id", "resource_id", "model", "base_model", "prompt_tokens", "cached_tokens"),
    *("completion_tokens", "aborted", "event_ts", "created_at"),
)


def event(model: str | None = "b", tokens: tuple[int, int, int] = (100, 0, 0), /, **columns: Any) -> dict[str, Any]:
    """One event of customer a on deployment r, at ten past the hour; ``tokens`` are prompt, cached, completion."""
    usual = {"request_id": uuid.uuid4().hex, "auth_id": "a", "resource_id": "r", "base_model": None, "aborted": False}
    prompt, cached, completion = tokens
    counts = {"prompt_tokens": prompt, "cached_tokens": cached, "completion_tokens": completion}
    instant = TEN + timedelta(minutes=10)
    return {**usual, "model": model, **counts, "event_ts": instant, "created_at": instant, **columns}


@dataclass
class RatedUsageRuns(StationRuns):
    """Runs on one station. ``credited``: the hours that were credited. ``folder``: where the price file is."""

    folder: Path = Path()
    now: datetime = TEN + 3 * HOUR
    prices: Prices = PRICES
    on_done: Callable[[HourDone], None] = lambda _done: None
    credited: list[HourDone] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def price_file(self) -> Path:
        """The file with the current ``prices``; each access writes it."""
        path = self.folder / "prices.yaml"
        path.write_text(self.prices.yaml())
        return path

    @property
    def book(self) -> PriceBook:
        return load_price_book(self.price_file)

    def add(self, *events: Mapping[str, Any]) -> None:
        """Insert events."""
        columns = [*COLUMNS, "org_id"] if any("org_id" in one for one in events) else COLUMNS
        names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
        with self.postgres.connect() as connection, connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO billing_event ({names}) VALUES ({places})",
                [[one.get(name) for name in columns] for one in events],
            )

    def rate(
        self, hour: datetime = TEN, *, commit: bool = True, run_id: str = "run", origin: Any = "explicit"
    ) -> RatingResult:
        """Rate one hour, without a run."""
        connection = store.open_session(self.postgres)
        try:
            return store.rate_hour(connection, hour, store.Cause(run_id, origin, self.book), commit=commit)
        finally:
            connection.close()

    def run(self, first: datetime = TEN, hours: int = 1, **overrides: Any) -> RunReport:
        """Run over some hours; ``overrides`` change the request."""
        keys = [hour_key(first + place * HOUR) for place in range(hours)]
        usual = {"run_id": str(uuid.uuid4()), "origin": "explicit", "hours": keys, "trailing": 1}
        request = Request(**{**usual, **overrides})
        return run(request, self.tools(request.run_id), self._credit)

    def tools(self, run_id: str = "run") -> Tools:
        """The resources of a run."""
        return Tools(
            self.postgres,
            lambda: self.book,
            self.log("rater", run_id),
            self.progress,
            lambda: self.now,
            self.slept.append,
            self.unit_wait_s,
        )

    def _credit(self, done: HourDone) -> None:
        self.credited.append(done)
        self.on_done(done)

    def query(self, query: str, parameters: Iterable[object] = ()) -> list[dict[str, Any]]:
        """The rows of a query as dicts."""
        with self.postgres.connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, list(parameters) or None).fetchall()

    def execute(self, statement: str, parameters: Iterable[object] = ()) -> None:
        """Execute a statement."""
        with self.postgres.connect() as connection:
            connection.execute(statement, list(parameters) or None)

    def billed(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The billed rows by natural key, without ``rated_at``."""
        names = ("auth_id", "resource_id", "model_id", "window_start")
        found = self.query("SELECT * FROM rated_usage")
        return {
            tuple(row[name] for name in names): {
                name: value for name, value in row.items() if name not in {*names, "rated_at"}
            }
            for row in found
        }

    def stored_exactly(self) -> list[str]:
        """Every billed row as text, with its physical position: equal only if no row was rewritten."""
        return [row["row"] for row in self.query("SELECT ctid || ' ' || u::text AS row FROM rated_usage u ORDER BY 1")]

    def changes(self) -> list[dict[str, Any]]:
        """The change ledger, oldest first, with the costs as text."""
        return self.query(
            "SELECT kind, auth_id, resource_id, model_id, window_start, usage_id, (before).cost::text AS cost_before, "
            "(after).cost::text AS cost_after, run_id, origin, price_digest FROM wxyc_assets.usage_change ORDER BY change_id"
        )


def add_hours(billing: RatedUsageRuns, hours: int, **columns: Any) -> None:
    """Add an event to each of some hours from TEN on."""
    billing.add(*(event(event_ts=TEN + place * HOUR, **columns) for place in range(hours)))


def billed_hours(billing: RatedUsageRuns) -> set[datetime]:
    """The hours that have billed rows."""
    return {row[3] for row in billing.billed()}


def held_locks(billing: RatedUsageRuns) -> int:
    """How many advisory locks all sessions of this database hold."""
    query = (
        "SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
        "(SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    held: int = billing.query(query)[0]["held"]
    return held


def rating_process(
    billing: RatedUsageRuns, first: datetime, hours: int, rounds: int = 1
) -> AbstractContextManager["subprocess.Popen[str]"]:
    """A run in a process of its own, which prints each hour as it is credited."""
    module = "tests.wxyc_assets.assets.rated_usage.run_process"
    return running(
        [
            sys.executable,
            "-m",
            module,
            billing.postgres.dsn,
            str(billing.folder),
            hour_key(first),
            str(hours),
            str(rounds),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
