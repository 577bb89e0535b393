"""Seconds of the flowsheet pass over all shards and of one single UPDATE of the same rows, with the table's triggers on.

Each works on a copy of the same station, alternately, several times. The best time of each counts, because other work on the
machine can only add to a time. ``longest_chunk_ms`` is the longest chunk of all passes: no writer waits longer for a row.

    python -m benchmarks.flowsheet_enrichment [--albums 5000] [--plays 100000] [--rounds 3] [--chunk-plays 2000]
"""

import argparse
import io
import json
import time
import uuid
from datetime import timedelta

import psycopg

from benchmarks.stations import copy_of, create_station, temporary_server, vacuum
from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from resources.step_log import step_log
from wxyc_assets.assets.flowsheet_enrichment.drain import CHUNK_PLAYS
from wxyc_assets.assets.flowsheet_enrichment.run import Request, Tools, run
from wxyc_assets.runs.partitions import SHARD_COUNT
from wxyc_assets.runs.progress import NoProgress
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays

SINGLE_UPDATE = """
UPDATE flowsheet f SET metadata_status = 'enriched_match', metadata_attempt_at = COALESCE(f.metadata_attempt_at, now())
FROM album_metadata am
WHERE f.album_id = am.album_id AND f.metadata_status = 'pending' AND f.album_id IS NOT NULL AND f.entry_type = 'track'
  AND f.artist_name IS NOT NULL
"""


def single_update(postgres: Postgres) -> tuple[int, float]:
    """Return the rows and seconds of the predecessor's one statement."""
    with postgres.connect() as connection:
        start = time.perf_counter()
        rows = connection.execute(SINGLE_UPDATE).rowcount
        return rows, time.perf_counter() - start


def whole_pass(postgres: Postgres, chunk_plays: int) -> tuple[int, float, int]:
    """Run the asset's own pass over all shards; return rows, seconds, and the milliseconds of its longest chunk."""
    lines = io.StringIO()
    log = step_log(tool="benchmark", run_id="benchmark", stream=lines)
    request = Request(uuid.uuid4().hex, "explicit", range(SHARD_COUNT), lookback_s=300, grace=timedelta(minutes=15))
    tools = Tools(postgres, log, NoProgress(), notify=lambda _text: None, chunk_plays=chunk_plays)
    start = time.perf_counter()
    report = run(request, tools, lambda _done: None)
    seconds = time.perf_counter() - start
    if report.verdict != "done":
        raise RuntimeError(report.reason)
    steps = [json.loads(line) for line in lines.getvalue().splitlines()]
    return (
        report.counters.flipped,
        seconds,
        max(line["wall_clock_ms"] for line in steps if line["step"] == "chunk_done"),
    )


def measure(server: EmbeddedPostgres, template: Postgres, rounds: int, chunk_plays: int) -> dict[str, float]:
    """Return the best of several rounds of each way."""
    single_s: list[float] = []
    pass_s: list[float] = []
    chunks_ms: list[int] = []
    rows = 0
    for _ in range(rounds):
        with copy_of(template, server) as station:
            rows, seconds = single_update(station)
        single_s.append(seconds)
        with copy_of(template, server) as station:
            flipped, seconds, longest_ms = whole_pass(station, chunk_plays)
        if flipped != rows:
            raise RuntimeError(f"the single UPDATE changed {rows} rows, the pass {flipped}")
        pass_s.append(seconds)
        chunks_ms.append(longest_ms)
    return {
        "rows": rows,
        "single_update_s": round(min(single_s), 2),
        "pass_s": round(min(pass_s), 2),
        "ratio": round(min(pass_s) / min(single_s), 2),
        "longest_chunk_ms": max(chunks_ms),
    }


def main() -> None:
    """Measure both ways, and print the best of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=5_000)
    parser.add_argument("--plays", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--chunk-plays", type=int, default=CHUNK_PLAYS)
    options = parser.parse_args()

    def fill(connection: psycopg.Connection) -> None:
        """Make a station on which all plays are pending and all albums have metadata."""
        generate_libraries(connection, options.albums)
        generate_plays(connection, options.plays)
        connection.execute("INSERT INTO album_metadata (album_id, discogs_url) SELECT id, 'd' FROM library")

    with temporary_server() as (server, _):
        template = create_station(server, "bench_template", fill)
        vacuum(template)
        print(json.dumps(measure(server, template, options.rounds, options.chunk_plays)))


if __name__ == "__main__":
    main()
