"""Libraries per second of library_identity and of the predecessor's shape, with LML answering at once and after 200 ms.

The predecessor's shape is one page after another, one call at a time, and one transaction per library with one round trip per
row. Both use the same sandbox LML, which is a process of its own, and write to the same embedded PostgreSQL.

    python -m benchmarks.library_identity [--libraries 20000] [--predecessor-libraries 1500]
"""

import argparse
import json
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
from pydantic import SecretStr

from benchmarks.stations import create_station, new_name, temporary_server
from resources.budget import PostgresBudget
from resources.embedded_postgres import EmbeddedPostgres
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.lml.models import LibraryInput
from resources.postgres import Postgres
from resources.sentry import SentryConfig, open_sentry
from resources.step_log import step_log
from wxyc_assets.assets.library_identity import store
from wxyc_assets.assets.library_identity.run import Request, Tools, run
from wxyc_assets.assets.library_identity.verdicts import Outcome, classify
from wxyc_assets.assets.library_identity.writer import NOTES
from wxyc_assets.runs.partitions import SHARD_COUNT
from wxyc_assets.runs.progress import NoProgress
from wxyc_assets.sandbox.generator import generate_libraries

KEY = SecretStr("sandbox-key")
STALE, RETRY = timedelta(days=7), timedelta(days=30)


@contextmanager
def lml_process(latency_ms: float, *options: str) -> Iterator[str]:
    """Serve the sandbox LML in a process of its own, like a real LML, with these options, and yield its URL."""
    command = [sys.executable, "-m", "wxyc_assets", "sandbox", "lml", "--port", "0", "--latency-ms", str(latency_ms)]
    command += options
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        if process.stdout is None:
            raise AssertionError("stdout is a pipe")
        yield json.loads(process.stdout.readline())["LIBRARY_METADATA_URL"]
    finally:
        process.terminate()
        process.wait()


def fresh_station(server: EmbeddedPostgres, libraries: int) -> Postgres:
    """Return a new station with libraries that have no identity."""
    return create_station(server, new_name(), lambda connection: generate_libraries(connection, libraries))


def ours(postgres: Postgres, url: str) -> tuple[int, float]:
    """Run the asset's own drain over all shards; return the number of libraries and the seconds."""
    budget = PostgresBudget(postgres.open, per_minute=30)
    with LmlClient(LmlConfig(url, KEY), budget=budget) as lml, Path("/dev/null").open("w") as discarded:
        log = step_log(tool="benchmark", run_id="benchmark", stream=discarded)
        request = Request(uuid.uuid4().hex, "explicit", range(SHARD_COUNT), STALE, RETRY)
        tools = Tools(postgres, lml, open_sentry(SentryConfig(dsn=None)), log, NoProgress())
        start = time.perf_counter()
        report = run(request, tools, lambda _done: None)
        seconds = time.perf_counter() - start
    budget.close()
    if report.verdict != "done":
        raise RuntimeError(report.reason)
    return report.counters.scanned, seconds


def predecessor(postgres: Postgres, url: str, limit: int) -> tuple[int, float]:
    """Do the same work in the predecessor's shape for the first libraries; return their number and the seconds."""
    scanned = 0
    start = time.perf_counter()
    with postgres.connect() as connection, LmlClient(LmlConfig(url, KEY, min_interval_s=0)) as lml:
        as_of, upto_id = store.run_start(connection)
        selection = store.Selection(as_of, upto_id, STALE, RETRY)
        for page in store.pages(connection, selection, shard=0, shard_count=1, page_size=500):
            inputs = [
                LibraryInput(
                    library_id=item.library_id,
                    artist_name=item.artist_name,
                    album_title=item.album_title,
                    legacy_release_id=item.legacy_release_id,
                )
                for item in page
            ]
            for outcome in classify(page, lml.bulk_resolve_libraries(inputs).results).outcomes:
                write_one(connection, outcome)
                scanned += 1
            if scanned >= limit:
                break
    return scanned, time.perf_counter() - start


def write_one(connection: psycopg.Connection, outcome: Outcome) -> None:
    """Write one library in one transaction: a lock, one statement per source, one for the identity."""
    if not outcome.identity:
        return
    identity = outcome.identity
    with connection.transaction():
        connection.execute("SELECT 1 FROM library_identity WHERE library_id = %s FOR UPDATE", [outcome.library_id])
        for source in outcome.sources:
            connection.execute(
                "INSERT INTO library_identity_source (library_id, source, external_id, method, confidence, last_verified_at, "
                "notes) VALUES (%s, %s, %s, %s, %s, now(), %s) ON CONFLICT (library_id, source) DO UPDATE SET "
                "external_id = EXCLUDED.external_id, method = EXCLUDED.method, confidence = EXCLUDED.confidence, "
                "last_verified_at = EXCLUDED.last_verified_at",
                [outcome.library_id, source.source, source.external_id, source.method, source.confidence, NOTES],
            )
        connection.execute(
            "INSERT INTO library_identity (library_id, wikidata_qid, spotify_id, apple_music_id, method, confidence, notes, "
            "last_verified_at) VALUES (%s, %s, %s, %s, %s, %s, %s, now()) ON CONFLICT (library_id) DO UPDATE SET "
            "wikidata_qid = EXCLUDED.wikidata_qid, spotify_id = EXCLUDED.spotify_id, method = EXCLUDED.method, "
            "confidence = EXCLUDED.confidence, last_verified_at = EXCLUDED.last_verified_at",
            [
                outcome.library_id,
                identity.wikidata_qid,
                identity.spotify_id,
                identity.apple_music_id,
                identity.method,
                identity.confidence,
                NOTES,
            ],
        )


def main() -> None:
    """Measure both shapes, and print their rates."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--libraries", type=int, default=20_000)
    parser.add_argument("--predecessor-libraries", type=int, default=1_500)
    options = parser.parse_args()
    rates: dict[str, float] = {}

    def record(name: str, measured: tuple[int, float]) -> None:
        scanned, seconds = measured
        rates[name] = round(scanned / seconds)

    with temporary_server() as (server, _):
        with lml_process(0) as url:
            station = fresh_station(server, options.libraries)
            record("predecessor_per_s", predecessor(station, url, options.predecessor_libraries))
            record("ours_per_s", ours(fresh_station(server, options.libraries), url))
        with lml_process(200) as url:
            record("ours_lml_200ms_per_s", ours(fresh_station(server, options.libraries), url))
    rates["times_predecessor"] = round(rates["ours_per_s"] / rates["predecessor_per_s"], 1)
    rates["slower_at_200ms"] = round(rates["ours_per_s"] / rates["ours_lml_200ms_per_s"], 2)
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
