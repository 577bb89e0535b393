"""One run of library_identity as a test wants it, with what it logged."""

import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from resources.lml.client import LmlClient
from tests.station_runs import StationRuns
from wxyc_assets.library_identity.run import Request, RunReport, Tools, run

STALE, RETRY = timedelta(days=7), timedelta(days=30)

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
class Runs(StationRuns):
    """Runs on one station; ``credited`` are the shards that were credited."""

    credited: list[int] = field(default_factory=list)

    def run(self, url: str, *, client: dict[str, Any] | None = None, **overrides: Any) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the rest the request."""
        with self.lml(url, **(client or {})) as lml:
            asked = request(**overrides)
            return run(asked, self.tools(lml, asked.run_id), lambda done: self.credited.append(done.shard))

    def lml(self, url: str, *, per_minute: float = 1e9, **overrides: Any) -> AbstractContextManager[LmlClient]:
        """A client of the LML at ``url`` that waits for nothing long."""
        return super().lml(url, per_minute=per_minute, **{"pace_s": 0.0, **overrides})

    def tools(self, lml: Any, run_id: str = "run") -> Tools:
        """What a run works with, logging into ``stream``."""
        log = self.log("library-identity-consumer", run_id)
        return Tools(self.postgres, lml, self.sentry, log, self.progress, self.unit_wait_s)

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that a run may write to the station, apart from when."""
        return {table: self.rows(query) for table, query in CONTENT.items()}
