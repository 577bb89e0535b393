"""Seconds that `wxyc status` takes, as a whole process, on a station with a year's catalogue and two years of plays.

The database is warm: the first run of each kind is not counted. Beside it a process that only imports Dagster, which the
command does without.

    python -m benchmarks.status [--albums 64000] [--plays 500000] [--hours 8000] [--rounds 5]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from wxyc_assets.migrate import migrate
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.station import create

DATABASE = "bench_status"
FULL = """
INSERT INTO library_identity (library_id, last_verified_at, method, confidence)
SELECT id, now() - random() * interval '9 days', 'exact_match', 1 FROM library;
INSERT INTO album_metadata (album_id, updated_at) SELECT id, now() - random() * interval '300 days' FROM library;
INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run)
SELECT a, s::text, now() - random() * interval '2 days', 'run'
FROM unnest(ARRAY['library_identity', 'album_metadata', 'flowsheet_enrichment']) a, generate_series(0, 15) s
"""
HOURS = """
INSERT INTO wxyc_assets.partition_state (asset, partition_key, credited_at, credited_run)
SELECT 'rated_usage', to_char(timestamptz '2026-01-01 00:00Z' + h * interval '1 hour', 'YYYY-MM-DD-HH24:00'), now(), 'run'
FROM generate_series(0, %s - 1) h
"""


def furnish(postgres: Postgres, albums: int, plays: int, hours: int) -> None:
    """Make a station on which nearly everything was done."""
    with postgres.connect() as connection:
        create(connection, sample=False)
        generate_libraries(connection, albums)
        generate_plays(connection, plays)
    migrate(postgres)
    with postgres.connect() as connection:
        connection.execute(FULL)
        connection.execute(HOURS, [hours])
        connection.execute("VACUUM ANALYZE")


def seconds(command: list[str], environ: dict[str, str], rounds: int) -> float:
    """Return the median of several runs of a command."""
    taken = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        subprocess.run(command, env=environ, check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return round(statistics.median(taken[1:]), 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=64_000)
    parser.add_argument("--plays", type=int, default=500_000)
    parser.add_argument("--hours", type=int, default=8_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wxyc-bench-") as home:
        Path(home).chmod(0o711)  # as root the server runs as another account, which must get in
        server = EmbeddedPostgres(Path(home))
        server.start()
        try:
            server.ensure_database(DATABASE)
            postgres = Postgres(server.dsn(DATABASE), statement_timeout_ms=0)
            furnish(postgres, options.albums, options.plays, options.hours)
            environ = {**os.environ, "WXYC_HOME": home, "DATABASE_URL": postgres.dsn}
            measured = {
                "albums": options.albums,
                "plays": options.plays,
                "status_s": seconds([sys.executable, "-m", "wxyc_assets", "status"], environ, options.rounds),
                "import_dagster_s": seconds([sys.executable, "-c", "import dagster"], environ, options.rounds),
            }
            print(json.dumps(measured))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
