"""One run of album_metadata as a test wants it, with what it logged."""

import io
import json
import uuid
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from sentry_sdk.transport import Transport

from resources.budget import PostgresBudget
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.postgres import Postgres
from resources.sentry import Sentry, SentryConfig, open_sentry
from resources.step_log import step_log
from wxyc_assets.album_metadata.plan import Pace
from wxyc_assets.album_metadata.run import Request, RunReport, Tools, run
from wxyc_assets.progress import Progress, Silent

RETRY = timedelta(days=30)
FREE = Pace(1e9, 1)
"""A budget that nobody has to wait for."""

QUICK: dict[str, Any] = {"backoff_initial_s": 0.01, "backoff_jitter_s": 0.01, "backoff_max_s": 0.02, "attempts": 1}

COLUMNS = (
    "album_id, artwork_url, discogs_url, release_year, spotify_url, apple_music_url, youtube_music_url, bandcamp_url, "
    "soundcloud_url, artist_bio, artist_wikipedia_url"
)


def request(**overrides: Any) -> Request:
    """A request for all shards, in batches of 5."""
    usual = {"run_id": str(uuid.uuid4()), "origin": "explicit", "shards": range(16), "retry_after": RETRY, "pace": FREE}
    return Request(**{**usual, "batch_size": 5, "budget_ms": 25_000, **overrides})


class Collector(Transport):
    """Keeps what would have been sent to Sentry."""

    def __init__(self) -> None:
        super().__init__()
        self.envelopes: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.envelopes.append(envelope)

    def payloads(self, kind: str) -> list[Any]:
        return [item.payload.json for envelope in self.envelopes for item in envelope.items if item.type == kind]

    @property
    def events(self) -> list[Any]:
        return self.payloads("event")


def watched_sentry() -> tuple[Sentry, Collector]:
    """A Sentry that keeps everything."""
    collector = Collector()
    return open_sentry(SentryConfig(dsn="http://public@sentry.invalid/42"), transport=collector), collector


@dataclass
class Runs:
    """Runs on one station; ``credited`` are the shards that were credited, ``lines`` what was logged, in order."""

    postgres: Postgres
    sentry: Sentry = field(default_factory=lambda: open_sentry(SentryConfig(dsn=None)))
    unit_wait_s: float = 0.2
    progress: Progress = field(default_factory=Silent)
    credited: list[int] = field(default_factory=list)
    stream: io.StringIO = field(default_factory=io.StringIO)

    def run(
        self, url: str, *, client: dict[str, Any] | None = None, per_minute: float = 1e9, **overrides: Any
    ) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the rest the request."""
        with self.lml(url, per_minute=per_minute, **(client or {})) as lml:
            asked = request(**overrides)
            return run(asked, self.tools(lml, asked.run_id), lambda done: self.credited.append(done.shard))

    def lml(self, url: str, *, per_minute: float = 1e9, **overrides: Any) -> "_Client":
        """A client of the LML at ``url`` that waits for nothing long."""
        config = LmlConfig(**{"base_url": url, "api_key": SecretStr("sandbox-key"), **QUICK, **overrides})
        return _Client(self.postgres, config, self.sentry, per_minute)

    def tools(self, lml: Any, run_id: str = "run") -> Tools:
        """What a run works with, logging into ``stream``."""
        log = step_log(tool="album-level-backfill", run_id=run_id, human=False, stream=self.stream)
        return Tools(self.postgres, lml, self.sentry, log, self.progress, self.unit_wait_s)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def steps(self, step: str) -> list[dict[str, Any]]:
        """The lines of one step."""
        return [line for line in self.lines if line["step"] == step]

    def rows(self, query: str, parameters: Iterable[object] = ()) -> list[tuple[Any, ...]]:
        """What the database says."""
        with self.postgres.connect() as connection:
            return connection.execute(query, list(parameters) or None).fetchall()

    def execute(self, statement: str) -> None:
        """Change the database."""
        with self.postgres.connect() as connection:
            connection.execute(statement)

    def metadata(self) -> dict[int, tuple[Any, ...]]:
        """The ten columns of every row of album_metadata."""
        return {row[0]: row[1:] for row in self.rows(f"SELECT {COLUMNS} FROM album_metadata ORDER BY 1")}

    def tallied(self, run_id: str) -> dict[str, int]:
        """The ledger's counts of a run, all shards together."""
        rows = self.rows(
            "SELECT e.key, sum(e.value::int) FROM wxyc_assets.tally t, jsonb_each_text(t.counters) e "
            "WHERE t.run_id = %s GROUP BY 1",
            [run_id],
        )
        return {key: int(value) for key, value in rows}

    def everything(self) -> dict[str, list[str]]:
        """Every row of every table of both schemas, as text."""
        tables = self.rows(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('wxyc_schema', 'wxyc_assets', 'public')"
        )
        return {
            f"{schema}.{table}": sorted(str(row[0]) for row in self.rows(f'SELECT t::text FROM "{schema}"."{table}" t'))
            for schema, table in tables
        }


class _Client:
    def __init__(self, postgres: Postgres, config: LmlConfig, sentry: Sentry, per_minute: float) -> None:
        self._budget = PostgresBudget(replace(postgres).open, per_minute=per_minute)
        self._client = LmlClient(config, budget=self._budget, span=sentry.span)

    def __enter__(self) -> LmlClient:
        return self._client

    def __exit__(self, *_: object) -> None:
        with closing(self._budget):
            self._client.close()
