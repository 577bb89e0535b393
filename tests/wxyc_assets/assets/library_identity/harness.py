"""Runs of library_identity on one station, and what they wrote and logged."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from resources.lml.client import LmlClient
from tests.run_harness import StationRuns
from wxyc_assets.assets.library_identity.counters import Counters
from wxyc_assets.assets.library_identity.run import Request, RunReport, Tools, run

STALE, RETRY = timedelta(days=7), timedelta(days=30)

CONTENT = {
    "library_identity": "SELECT library_id, discogs_master_id, discogs_release_id, musicbrainz_release_group_mbid, "
    "musicbrainz_release_mbid, musicbrainz_recording_mbid, wikidata_qid, spotify_id, apple_music_id, method, confidence, "
    "agreement_sources, notes FROM library_identity ORDER BY 1",
    "library_identity_source": "SELECT library_id, source, external_id, method, confidence, boost_sources, notes "
    "FROM library_identity_source ORDER BY 1, 2",
    "compilation_track_artist": "SELECT * FROM compilation_track_artist ORDER BY id",
    "library": "SELECT id, artist_name, unresolved_attempted_at IS NULL FROM library ORDER BY 1",
}
"""The tables that a run writes, with every column but times and serial numbers."""


def request(**overrides: Any) -> Request:
    """A request for all shards with the default age limits and a run id of its own."""
    usual = {"run_id": str(uuid.uuid4()), "origin": "explicit", "shards": range(16), "stale_after": STALE}
    return Request(**{**usual, "retry_after": RETRY, **overrides})


def without_calls(report: RunReport) -> Counters:
    """The counters of a run without its LML calls and their latency, which depend on timing."""
    return Counters(**{**report.counters.stored(), "lml_total_calls": 0, "lml_total_latency_ms": 0})


@dataclass
class LibraryIdentityRuns(StationRuns):
    """Runs on one station; ``credited`` are the shards that were credited."""

    credited: list[int] = field(default_factory=list)

    def run(self, url: str, *, client: dict[str, Any] | None = None, **overrides: Any) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the other arguments the request."""
        with self.lml(url, **(client or {})) as lml:
            run_request = request(**overrides)
            tools = self.tools(lml, run_request.run_id)
            return run(run_request, tools, lambda done: self.credited.append(done.shard))

    @contextmanager
    def lml(self, url: str, *, per_minute: float = 1e9, **overrides: Any) -> Iterator[LmlClient]:
        """A client of the LML at ``url`` without a pause between calls."""
        with super().lml(url, per_minute=per_minute, **{"min_interval_s": 0.0, **overrides}) as client:
            yield client

    def tools(self, lml: Any, run_id: str = "run") -> Tools:
        """The tools of a run that logs into ``stream``."""
        log = self.log("library-identity-consumer", run_id)
        return Tools(self.postgres, lml, self.sentry, log, self.progress, self.unit_wait_s)

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything that runs have written to the station, without times."""
        return {table: self.rows(query) for table, query in CONTENT.items()}
