"""Seconds of the flowsheet pass over all shards beside one single UPDATE of the same rows, with the table's triggers on.

Each works on a copy of the same station, in turns, several times; the best of each counts, because other work on the machine
only ever adds to a time. ``longest_chunk_ms`` is the longest that anybody could wait for a row, in any of the passes.

    python -m benchmarks.flowsheet_enrichment [--albums 5000] [--plays 100000] [--rounds 3] [--chunk-plays 2000]
"""

import argparse
import io
import json
import tempfile
import time
import uuid
from dataclasses import replace
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from resources.step_log import step_log
from wxyc_assets.flowsheet_enrichment.run import Request, Tools, run
from wxyc_assets.flowsheet_enrichment.walk import CHUNK_PLAYS
from wxyc_assets.migrate import migrate
from wxyc_assets.partitions import SHARD_COUNT
from wxyc_assets.progress import Silent
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.station import create

SINGLE_UPDATE = """
UPDATE flowsheet f SET metadata_status = 'enriched_match', metadata_attempt_at = COALESCE(f.metadata_attempt_at, now())
FROM album_metadata am
WHERE f.album_id = am.album_id AND f.metadata_status = 'pending' AND f.album_id IS NOT NULL AND f.entry_type = 'track'
  AND f.artist_name IS NOT NULL
"""
TEMPLATE = "bench_template"


def make_template(server: EmbeddedPostgres, albums: int, plays: int) -> None:
    """Make the station that every measurement copies: every play waits, and every album has its metadata."""
    server.ensure_database(TEMPLATE)
    postgres = Postgres(server.dsn(TEMPLATE), statement_timeout_ms=0)
    with postgres.connect() as connection:
        create(connection, sample=False)
        generate_libraries(connection, albums)
        generate_plays(connection, plays)
        connection.execute("INSERT INTO album_metadata (album_id) SELECT id FROM library")
    migrate(postgres)
    with postgres.connect() as connection:
        connection.execute("VACUUM ANALYZE")


def copied(server: EmbeddedPostgres) -> Postgres:
    """Return a fresh copy of the template, on disk before anything is measured."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        admin.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(TEMPLATE)))
        admin.execute("CHECKPOINT")
    return Postgres(server.dsn(name), statement_timeout_ms=0)


def single_update(postgres: Postgres) -> tuple[int, float]:
    """Return the rows and seconds of the predecessor's one statement."""
    with postgres.connect() as connection:
        began = time.perf_counter()
        rows = connection.execute(SINGLE_UPDATE).rowcount
        return rows, time.perf_counter() - began


def whole_pass(postgres: Postgres, chunk_plays: int) -> tuple[int, float, int]:
    """Run the asset's own pass over all shards; return rows, seconds, and the milliseconds of its longest chunk."""
    lines = io.StringIO()
    log = step_log(tool="benchmark", run_id="benchmark", human=False, stream=lines)
    request = Request(uuid.uuid4().hex, "explicit", range(SHARD_COUNT), lookback_s=300)
    tools = Tools(postgres, log, Silent(), tell=lambda _text: None, chunk_plays=chunk_plays)
    began = time.perf_counter()
    report = run(request, tools, lambda _done: None)
    seconds = time.perf_counter() - began
    if report.verdict != "done":
        raise RuntimeError(report.reason)
    steps = [json.loads(line) for line in lines.getvalue().splitlines()]
    return (
        report.counters.flipped,
        seconds,
        max(line["wall_clock_ms"] for line in steps if line["step"] == "chunk_done"),
    )


def drop(postgres: Postgres, server: EmbeddedPostgres) -> None:
    name = psycopg.conninfo.conninfo_to_dict(postgres.dsn)["dbname"]
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        admin.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(str(name))))


def measure(server: EmbeddedPostgres, rounds: int, chunk_plays: int) -> dict[str, float]:
    """Return the best of several rounds of each way."""
    single_s: list[float] = []
    pass_s: list[float] = []
    chunks_ms: list[int] = []
    rows = 0
    for _ in range(rounds):
        station = copied(server)
        rows, seconds = single_update(replace(station))
        single_s.append(seconds)
        drop(station, server)
        station = copied(server)
        flipped, seconds, longest_ms = whole_pass(station, chunk_plays)
        drop(station, server)
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=5_000)
    parser.add_argument("--plays", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--chunk-plays", type=int, default=CHUNK_PLAYS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wxyc-bench-") as home:
        Path(home).chmod(0o711)  # as root the server runs as another account, which must get in
        server = EmbeddedPostgres(Path(home))
        server.start()
        try:
            make_template(server, options.albums, options.plays)
            print(json.dumps(measure(server, options.rounds, options.chunk_plays)))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
