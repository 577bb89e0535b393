"""One run of album_metadata as a test wants it, with what it logged."""

import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from resources.lml.client import LmlClient
from tests.station_runs import StationRuns
from wxyc_assets.album_metadata.run import Request, RunReport, Tools, run
from wxyc_assets.pace import Pace

RETRY = timedelta(days=30)
FREE = Pace(1e9, 1)
"""A budget that nobody has to wait for."""

COLUMNS = (
    "album_id, artwork_url, discogs_url, release_year, spotify_url, apple_music_url, youtube_music_url, bandcamp_url, "
    "soundcloud_url, artist_bio, artist_wikipedia_url"
)


def request(**overrides: Any) -> Request:
    """A request for all shards, in batches of 5."""
    usual = {"run_id": str(uuid.uuid4()), "origin": "explicit", "shards": range(16), "retry_after": RETRY, "pace": FREE}
    return Request(**{**usual, "batch_size": 5, "budget_ms": 25_000, **overrides})


@dataclass
class Runs(StationRuns):
    """Runs on one station; ``credited`` are the shards that were credited."""

    credited: list[int] = field(default_factory=list)

    def run(
        self, url: str, *, client: dict[str, Any] | None = None, per_minute: float = 1e9, **overrides: Any
    ) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the rest the request."""
        with self.lml(url, per_minute=per_minute, **(client or {})) as lml:
            asked = request(**overrides)
            return run(asked, self.tools(lml, asked.run_id), lambda done: self.credited.append(done.shard))

    def lml(self, url: str, *, per_minute: float = 1e9, **overrides: Any) -> AbstractContextManager[LmlClient]:
        """A client of the LML at ``url`` that waits for nothing long, and asks once only."""
        return super().lml(url, per_minute=per_minute, **{"attempts": 1, **overrides})

    def tools(self, lml: Any, run_id: str = "run") -> Tools:
        """What a run works with, logging into ``stream``."""
        log = self.log("album-level-backfill", run_id)
        return Tools(self.postgres, lml, self.sentry, log, self.progress, self.unit_wait_s)

    def metadata(self) -> dict[int, tuple[Any, ...]]:
        """The ten columns of every row of album_metadata."""
        return {row[0]: row[1:] for row in self.rows(f"SELECT {COLUMNS} FROM album_metadata ORDER BY 1")}
