"""Seconds of `wxyc status`, as a whole process, on a station with a year's catalogue and two years of plays.

The database is warm: the first run of each command does not count. For comparison, the time of a process that only imports
Dagster, which the command does not import.

    python -m benchmarks.status [--albums 64000] [--plays 500000] [--hours 8000] [--rounds 5]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import psycopg

from benchmarks.stations import create_station, temporary_server, vacuum
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays

CREDIT_SHARDS = """
INSERT INTO library_identity (library_id, last_verified_at, method, confidence)
SELECT id, now() - random() * interval '9 days', 'exact_match', 1 FROM library;
INSERT INTO album_metadata (album_id, updated_at) SELECT id, now() - random() * interval '300 days' FROM library;
INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run)
SELECT a, s::text, now() - random() * interval '2 days', 'run'
FROM unnest(ARRAY['library_identity', 'album_metadata', 'flowsheet_enrichment']) a, generate_series(0, 15) s
"""
CREDIT_HOURS = """
INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run)
SELECT 'rated_usage', to_char(timestamptz '2026-01-01 00:00Z' + h * interval '1 hour', 'YYYY-MM-DD-HH24:00'), now(), 'run'
FROM generate_series(0, %s - 1) h
"""


def seconds(command: list[str], environ: dict[str, str], rounds: int) -> float:
    """Return the median time of several runs of a command."""
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        subprocess.run(command, env=environ, check=True, capture_output=True)
        taken.append(time.perf_counter() - start)
    return round(statistics.median(taken[1:]), 2)


def main() -> None:
    """Measure both commands, and print their times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=64_000)
    parser.add_argument("--plays", type=int, default=500_000)
    parser.add_argument("--hours", type=int, default=8_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()

    def fill(connection: psycopg.Connection) -> None:
        generate_libraries(connection, options.albums)
        generate_plays(connection, options.plays)

    with temporary_server() as (server, home):
        station = create_station(server, "bench_status", fill)
        with station.connect() as connection:
            connection.execute(CREDIT_SHARDS)
            connection.execute(CREDIT_HOURS, [options.hours])
        vacuum(station)
        environ = {**os.environ, "WXYC_HOME": str(home), "DATABASE_URL": station.dsn}
        measured = {
            "albums": options.albums,
            "plays": options.plays,
            "status_s": seconds([sys.executable, "-m", "wxyc_assets", "status"], environ, options.rounds),
            "import_dagster_s": seconds([sys.executable, "-c", "import dagster"], environ, options.rounds),
        }
        print(json.dumps(measured))


if __name__ == "__main__":
    main()
