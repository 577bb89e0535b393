"""A station's billing as a test wants it: events, prices, runs, rows, and what was logged."""

import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from resources.postgres import Postgres
from tests.station_runs import StationRuns
from tests.wxyc_assets.rated_usage.oracle import Prices
from wxyc_assets.price_book.book import PriceBook
from wxyc_assets.price_book.load import load_price_book
from wxyc_assets.rated_usage import store
from wxyc_assets.rated_usage.counters import Rated
from wxyc_assets.rated_usage.run import HourDone, Request, RunReport, Tools, run
from wxyc_assets.rated_usage.windows import key

TEN = datetime(2026, 6, 8, 10, tzinfo=UTC)
"""The contract's window: 2026-06-08T10:00Z."""
HOUR = timedelta(hours=1)
B = Prices({"b": ("0.000005", "0.0000005", "0.00002")})
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


def wait_until_blocked(postgres: Postgres, by: psycopg.Connection) -> None:
    """Wait until some session waits for a lock that ``by`` holds."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
    deadline = time.monotonic() + 20
    with postgres.connect() as connection:
        while connection.execute(query, [by.info.backend_pid]).fetchone() == (0,):
            assert time.monotonic() < deadline
            time.sleep(0.01)


@dataclass
class Billing(StationRuns):
    """Runs on one station; ``credited`` are the hours that were credited, ``folder`` is where the price file is."""

    folder: Path = Path()
    now: datetime = TEN + 3 * HOUR
    prices: Prices = B
    on_done: Callable[[HourDone], None] = lambda _done: None
    credited: list[HourDone] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def price_file(self) -> Path:
        """The file with the prices of this moment."""
        path = self.folder / "prices.yaml"
        path.write_text(self.prices.yaml())
        return path

    @property
    def book(self) -> PriceBook:
        return load_price_book(self.price_file)

    def add(self, *events: Mapping[str, Any]) -> None:
        """Insert events."""
        names, places = ", ".join(COLUMNS), ", ".join(["%s"] * len(COLUMNS))
        with self.postgres.connect() as connection, connection.cursor() as cursor:
            cursor.executemany(
                f"INSERT INTO billing_event ({names}) VALUES ({places})",
                [[one[name] for name in COLUMNS] for one in events],
            )

    def rate(self, hour: datetime = TEN, *, keep: bool = True, run_id: str = "run", origin: Any = "explicit") -> Rated:
        """Rate one hour, without a run around it."""
        connection = store.open_session(self.postgres)
        try:
            return store.rate_hour(connection, hour, store.Cause(run_id, origin, self.book), keep=keep)
        finally:
            connection.close()

    def run(self, first: datetime = TEN, hours: int = 1, **overrides: Any) -> RunReport:
        """Run over some hours; ``overrides`` are of the request."""
        keys = [key(first + place * HOUR) for place in range(hours)]
        usual = {"run_id": str(uuid.uuid4()), "origin": "explicit", "hours": keys, "trailing": 1}
        request = Request(**{**usual, **overrides})
        return run(request, self.tools(request.run_id), self._credit)

    def tools(self, run_id: str = "run") -> Tools:
        """What a run works with."""
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
        """What the database says, by column."""
        with self.postgres.connect() as connection, connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(query, list(parameters) or None).fetchall()

    def execute(self, statement: str, parameters: Iterable[object] = ()) -> None:
        """Change the database."""
        with self.postgres.connect() as connection:
            connection.execute(statement, list(parameters) or None)

    def billed(self) -> dict[tuple[Any, ...], dict[str, Any]]:
        """The billed rows by natural key, without the moment that they were written."""
        names = ("auth_id", "resource_id", "model_id", "window_start")
        found = self.query("SELECT * FROM rated_usage")
        return {
            tuple(row[name] for name in names): {
                name: value for name, value in row.items() if name not in {*names, "rated_at"}
            }
            for row in found
        }

    def stored_exactly(self) -> list[str]:
        """Every billed row with its place in the table: equal only if nothing was rewritten."""
        return [row["row"] for row in self.query("SELECT ctid || ' ' || u::text AS row FROM rated_usage u ORDER BY 1")]

    def changes(self) -> list[dict[str, Any]]:
        """The ledger, oldest first, with the two costs as text."""
        return self.query(
            "SELECT kind, auth_id, resource_id, model_id, window_start, usage_id, (before).cost::text AS cost_before, "
            "(after).cost::text AS cost_after, run_id, origin, price_digest FROM wxyc_assets.usage_change ORDER BY change_id"
        )
