"""Runs of album_metadata on one station, and what they wrote and logged."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, get_args

from resources.lml.client import LmlClient
from tests.run_harness import StationRuns, failed_checks
from wxyc_assets.assets.album_metadata.counters import Bucket
from wxyc_assets.assets.album_metadata.run import Request, RunReport, Tools, run
from wxyc_assets.runs.discogs_rate import DiscogsRate

RETRY = timedelta(days=30)
GRACE = timedelta(minutes=15)
FREE = DiscogsRate(1e9, 1)
"""A rate of Discogs calls for which no run waits."""

OUTCOMES = get_args(Bucket)
"""The buckets that the contract's sum of a run's outcomes has."""

COLUMNS = (
    "album_id, artwork_url, discogs_url, release_year, spotify_url, apple_music_url, youtube_music_url, bandcamp_url, "
    "soundcloud_url, artist_bio, artist_wikipedia_url"
)


def request(**overrides: Any) -> Request:
    """A request for all shards in batches of 5, with a run id of its own."""
    usual = {
        "run_id": str(uuid.uuid4()),
        "origin": "explicit",
        "shards": range(16),
        "retry_after": RETRY,
        "grace": GRACE,
        "discogs_rate": FREE,
    }
    return Request(**{**usual, "batch_size": 5, "budget_ms": 25_000, **overrides})


def counts(report: RunReport, *names: str) -> dict[str, int]:
    """The counters of these names."""
    return {name: getattr(report.counters, name) for name in names}


@dataclass
class AlbumMetadataRuns(StationRuns):
    """Runs on one station.

    ``credited`` are the shards that were credited, ``notifications`` the sentences for the page of the run, ``slept`` the
    seconds that the runs would have slept for LML's breaker. ``on_sleep`` is called instead of sleeping.
    """

    on_sleep: Callable[[], None] = lambda: None
    credited: list[int] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def run(
        self, url: str, *, client: dict[str, Any] | None = None, per_minute: float = 1e9, **overrides: Any
    ) -> RunReport:
        """Run against the LML at ``url``; ``client`` overrides its configuration, the other arguments the request."""
        with self.lml(url, per_minute=per_minute, **(client or {})) as lml:
            run_request = request(**overrides)
            tools = self.tools(lml, run_request.run_id)
            return run(run_request, tools, lambda done: self.credited.append(done.shard))

    @contextmanager
    def lml(self, url: str, *, per_minute: float = 1e9, **overrides: Any) -> Iterator[LmlClient]:
        """A client of the LML at ``url`` with one attempt per call."""
        with super().lml(url, per_minute=per_minute, **{"attempts": 1, **overrides}) as client:
            yield client

    def tools(self, lml: Any, run_id: str = "run") -> Tools:
        """The tools of a run that logs into ``stream``."""
        log = self.log("album-level-backfill", run_id)
        return Tools(
            self.postgres,
            lml,
            self.sentry,
            log,
            self.progress,
            self.unit_wait_s,
            notify=self.notifications.append,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        """Record a sleep instead of sleeping."""
        self.slept.append(seconds)
        self.on_sleep()

    def metadata(self) -> dict[int, tuple[Any, ...]]:
        """The ten columns of every row of album_metadata."""
        return {row[0]: row[1:] for row in self.rows(f"SELECT {COLUMNS} FROM album_metadata ORDER BY 1")}

    def releases(self) -> dict[int, int]:
        """The id in the release address of each row of album_metadata, by album."""
        rows = self.rows("SELECT album_id, discogs_url FROM album_metadata ORDER BY 1")
        return {album_id: int(url.rpartition("/")[2]) for album_id, url in rows}

    def assert_adds_up(self, report: RunReport) -> None:
        """Assert that each album is in one bucket, and that the report and the ledger have the same counters."""
        totals = report.counters.totals()
        assert totals["scanned"] == sum(totals[name] for name in OUTCOMES)
        assert self.tallied(report.request.run_id) == report.counters.stored()
        assert "accounting_holds" not in failed_checks(report)
