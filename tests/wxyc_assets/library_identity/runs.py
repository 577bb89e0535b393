"""One run of library_identity as a test wants it, with what it logged."""

import io
import json
import uuid
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from resources.budget import PostgresBudget
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.postgres import Postgres
from resources.sentry import Sentry, SentryConfig, open_sentry
from resources.step_log import step_log
from wxyc_assets.library_identity.run import Request, RunReport, Tools, run
from wxyc_assets.progress import Silent

STALE, RETRY = timedelta(days=7), timedelta(days=30)
QUICK: dict[str, Any] = {"backoff_initial_s": 0.01, "backoff_jitter_s": 0.01, "backoff_max_s": 0.02, "pace_s": 0.0}

# The station's tables that a run may write, with every column that does not hold a time or count up on its own.
CONTENT = {
    "library_identity": "SELECT library_id, discogs_master_id, discogs_release_id, musicbrainz_release_group_mbid, "
    "musicbrainz_release_mbid, musicbrainz_recording_mbid, wikidata_qid, spotify_id, apple_music_id, method, confidence, "
    "agreement_sources, notes FROM library_identity ORDER BY 1",
    "library_identity_source": "SELECT library_id, source, external_id, method, confidence, boost_sources, notes "
    "FROM library_identity_source ORDER BY 1, 2",
    "library": "SELECT id, artist_name, unresolved_attempted_at IS NULL FROM library ORDER BY 1",
}


def request(**overrides: Any) -> Request:
    """A request for all shards with the default windows."""
    usual = {"run_id": str(uuid.uuid4()), "origin": "explicit", "shards": range(16), "stale_after": STALE}
    return Request(**{**usual, "retry_after": RETRY, **overrides})


@dataclass
class Runs:
    """Runs on one station; ``credited`` are the shards that were credited, ``lines`` what was logged, in order."""

    postgres: Postgres
    sentry: Sentry = field(default_factory=lambda: open_sentry(SentryConfig(dsn=None)))
    unit_wait_s: float = 0.2
    credited: list[int] = field(default_factory=list)
    stream: io.StringIO = field(default_factory=io.StringIO)

    def run(self, url: str, *, client: dict[str, Any] | None = None, **overrides: Any) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the rest the request."""
        with self.lml(url, **(client or {})) as lml:
            asked = request(**overrides)
            return run(asked, self.tools(lml, asked.run_id), lambda done: self.credited.append(done.shard))

    def lml(self, url: str, **overrides: Any) -> "_Client":
        """A client of the LML at ``url`` that waits for nothing long."""
        config = LmlConfig(**{"base_url": url, "api_key": SecretStr("sandbox-key"), **QUICK, **overrides})
        return _Client(self.postgres, config, self.sentry)

    def tools(self, lml: LmlClient, run_id: str = "run") -> Tools:
        """What a run works with, logging into ``stream``."""
        log = step_log(tool="library-identity-consumer", run_id=run_id, human=False, stream=self.stream)
        return Tools(self.postgres, lml, self.sentry, log, Silent(), self.unit_wait_s)

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

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that a run may write to the station, apart from when."""
        return {table: self.rows(query) for table, query in CONTENT.items()}

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
    def __init__(self, postgres: Postgres, config: LmlConfig, sentry: Sentry) -> None:
        self._budget = PostgresBudget(replace(postgres).open, per_minute=30)
        self._client = LmlClient(config, budget=self._budget, span=sentry.span)

    def __enter__(self) -> LmlClient:
        return self._client

    def __exit__(self, *_: object) -> None:
        with closing(self._budget):
            self._client.close()
