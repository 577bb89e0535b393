"""Runs of flowsheet_enrichment on one station, and what they logged, showed and slept."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import psycopg

from resources.postgres import Postgres
from tests.run_harness import StationRuns
from wxyc_assets.assets.flowsheet_enrichment.drain import CHUNK_PLAYS
from wxyc_assets.assets.flowsheet_enrichment.run import Request, RunReport, ShardDone, Tools, run

GRACE = timedelta(minutes=15)


def request(**overrides: Any) -> Request:
    """A request for all shards with the default lookback and a run id of its own."""
    usual = {"run_id": str(uuid.uuid4()), "origin": "explicit", "shards": range(16), "lookback_s": 300, "grace": GRACE}
    return Request(**{**usual, **overrides})


def add_play(connection: psycopg.Connection, play_id: int, album_id: int | None, **columns: object) -> None:
    """Add a play of one day ago, by default a pending track of an artist."""
    usual = {"artist_name": "Stereolab", "entry_type": "track", "metadata_status": "pending", "age": "1 day"}
    row = {**usual, "metadata_attempt_at": None, **columns, "id": play_id, "album_id": album_id}
    connection.execute(
        "INSERT INTO flowsheet (id, album_id, artist_name, track_title, play_order, add_time, entry_type, metadata_status, "
        "metadata_attempt_at) VALUES (%(id)s, %(album_id)s, %(artist_name)s, 'Brakhage', 1, now() - %(age)s::interval, "
        "%(entry_type)s, %(metadata_status)s, %(metadata_attempt_at)s)",
        row,
    )


def tally_metadata(
    postgres: Postgres, shard: int, unexpected_index: int | None, *, age: str, complete: bool = True
) -> None:
    """Record a run of album_metadata over a shard in the ledger."""
    counters = {} if unexpected_index is None else {"unexpected_index": unexpected_index}
    with postgres.connect() as connection:
        connection.execute(
            "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters, complete, updated_at) "
            "VALUES ('album_metadata', %s, %s, %s, %s, now() - %s::interval)",
            [str(shard), f"metadata-{uuid.uuid4().hex[:6]}", json.dumps(counters), complete, age],
        )


@dataclass
class FlowsheetEnrichmentRuns(StationRuns):
    """Runs on one station.

    ``credited`` are the shards that were credited, ``notifications`` the sentences for the page of the run, ``slept`` the
    seconds that the runs would have slept. ``on_sleep`` is called instead of sleeping.
    """

    on_sleep: Callable[[float], None] = lambda _seconds: None
    chunk_plays: int = CHUNK_PLAYS
    credited: list[ShardDone] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def run(self, **overrides: Any) -> RunReport:
        """Run; ``overrides`` are fields of the request."""
        run_request = request(**overrides)
        return run(run_request, self.tools(run_request.run_id), self.credited.append)

    def tools(self, run_id: str = "run") -> Tools:
        """The tools of a run that logs into ``stream``."""
        return Tools(
            self.postgres,
            self.log("album-level-backfill", run_id),
            self.progress,
            self.notifications.append,
            self.sleep,
            unit_wait_s=self.unit_wait_s,
            chunk_plays=self.chunk_plays,
        )

    def sleep(self, seconds: float) -> None:
        """Record a sleep instead of sleeping."""
        self.slept.append(seconds)
        self.on_sleep(seconds)

    def add_live_track(self) -> None:
        """Add track 5000 of one second ago, so that a DJ is live."""
        with self.postgres.connect() as connection:
            add_play(connection, 5000, None, metadata_status="enriched_match", age="1 second")

    def remove_live_track(self) -> None:
        """Remove that track, so that no DJ is live."""
        self.execute("DELETE FROM flowsheet WHERE id = 5000")

    def waiting(self) -> set[int]:
        """The ids of the pending plays."""
        return {row[0] for row in self.rows("SELECT id FROM flowsheet WHERE metadata_status = 'pending'")}
