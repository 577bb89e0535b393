"""Albums a second of album_metadata with eight lookups in flight and with one at a time; LML takes 200 ms for each.

Each run works on a copy of one station, on which each album has plays with pending metadata. The time includes reading,
LML calls, deriving, writing and tallying, and not the start of Dagster.

    python -m benchmarks.album_metadata [--albums 2400] [--batch-size 100] [--latency-ms 200]
"""

import argparse
import io
import json
import time
import uuid
from datetime import timedelta

import psycopg
from pydantic import SecretStr

from benchmarks.stations import copy_of, create_station, temporary_server, vacuum
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.postgres import Postgres
from resources.sentry import SentryConfig, open_sentry
from resources.step_log import step_log
from wxyc_assets.assets.album_metadata.run import Request, Tools, run
from wxyc_assets.runs.discogs_rate import DiscogsRate
from wxyc_assets.runs.partitions import SHARD_COUNT
from wxyc_assets.runs.progress import NoProgress
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import DEFAULT_API_KEY, SandboxLml

RATES = {"one_at_a_time": DiscogsRate(1, 1), "in_flight": DiscogsRate(1e9, 1)}


def measure(station: Postgres, lml_url: str, discogs_rate: DiscogsRate, batch_size: int) -> dict[str, float]:
    """Return the seconds of one run over a station, and its counts."""
    request = Request(
        run_id=uuid.uuid4().hex,
        origin="explicit",
        shards=range(SHARD_COUNT),
        retry_after=timedelta(days=30),
        grace=timedelta(minutes=15),
        discogs_rate=discogs_rate,
        batch_size=batch_size,
        budget_ms=25_000,
    )
    with LmlClient(LmlConfig(base_url=lml_url, api_key=SecretStr(DEFAULT_API_KEY))) as lml:
        tools = Tools(
            postgres=Postgres(station.dsn),
            lml=lml,
            sentry=open_sentry(SentryConfig(dsn=None)),
            log=step_log(tool="bench", run_id=request.run_id, stream=io.StringIO()),
            progress=NoProgress(),
        )
        start = time.perf_counter()
        report = run(request, tools, lambda _done: None)
        seconds = time.perf_counter() - start
    counts = report.counters
    return {"seconds": round(seconds, 2), "albums": counts.scanned, "batches": counts.batches, "rows": counts.upserts}


def main() -> None:
    """Measure both rates, and print them with their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=2400)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--latency-ms", type=float, default=200)
    options = parser.parse_args()

    def fill(connection: psycopg.Connection) -> None:
        generate_libraries(connection, options.albums)
        generate_plays(connection, 2 * options.albums)

    measured: dict[str, dict[str, float]] = {}
    with temporary_server() as (server, _):
        template = create_station(server, "bench_albums", fill)
        vacuum(template)
        with SandboxLml(latency_ms=options.latency_ms, discogs=DiscogsConfig(cold_items=0)) as lml:
            for name, discogs_rate in RATES.items():
                with copy_of(template, server) as station:
                    measured[name] = measure(station, lml.url, discogs_rate, options.batch_size)
    ratio = measured["one_at_a_time"]["seconds"] / measured["in_flight"]["seconds"]
    report = {"benchmark": "album_metadata", "latency_ms": options.latency_ms, **measured, "ratio": round(ratio, 2)}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
