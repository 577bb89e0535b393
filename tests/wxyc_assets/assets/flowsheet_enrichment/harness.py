"""One pass of flowsheet_enrichment as a test wants it, with what it logged, told and slept."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from resources.postgres import Postgres
from tests.station_runs import StationRuns
from wxyc_assets.flowsheet_enrichment.run import Request, RunReport, ShardDone, Tools, run
from wxyc_assets.flowsheet_enrichment.walk import CHUNK_PLAYS

PLAYS = "SELECT id, metadata_status::text, metadata_attempt_at FROM flowsheet ORDER BY id"


def request(**overrides: Any) -> Request:
    """A request for all shards with the default lookback."""
    return Request(
        **{"run_id": str(uuid.uuid4()), "origin": "explicit", "shards": range(16), "lookback_s": 300, **overrides}
    )


def add_play(connection: psycopg.Connection, play_id: int, album_id: int | None, **columns: object) -> None:
    """Add a play, long ago, by default a pending track of an artist."""
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
    """Put a run of album_metadata over a shard on record."""
    counters = {} if unexpected_index is None else {"unexpected_index": unexpected_index}
    with postgres.connect() as connection:
        connection.execute(
            "INSERT INTO wxyc_assets.tally (asset, partition_key, run_id, counters, complete, updated_at) "
            "VALUES ('album_metadata', %s, %s, %s, %s, now() - %s::interval)",
            [str(shard), f"metadata-{uuid.uuid4().hex[:6]}", json.dumps(counters), complete, age],
        )


@dataclass
class Passes(StationRuns):
    """Passes on one station; ``credited`` are the shards that were credited, ``slept`` the seconds that were slept."""

    on_sleep: Callable[[float], None] = lambda _seconds: None
    chunk_plays: int = CHUNK_PLAYS
    credited: list[ShardDone] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def run(self, **overrides: Any) -> RunReport:
        """Run; ``overrides`` are of the request."""
        asked = request(**overrides)
        return run(asked, self.tools(asked.run_id), self.credited.append)

    def tools(self, run_id: str = "run") -> Tools:
        """What a run works with."""
        return Tools(
            self.postgres,
            self.log("album-level-backfill", run_id),
            self.progress,
            self.told.append,
            self._sleep,
            unit_wait_s=self.unit_wait_s,
            chunk_plays=self.chunk_plays,
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.on_sleep(seconds)

    def waiting(self) -> set[int]:
        """The plays that are still pending."""
        return {row[0] for row in self.rows("SELECT id FROM flowsheet WHERE metadata_status = 'pending'")}
