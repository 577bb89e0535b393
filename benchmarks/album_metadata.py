"""Albums a second of album_metadata with eight lookups in flight, beside one at a time; LML takes 200 ms for each.

Each run works on a copy of one station: reading, asking, deriving, writing and tallying, without Dagster's start.

    python -m benchmarks.album_metadata [--albums 2400] [--batch-size 100] [--latency-ms 200]
"""

import argparse
import io
import json
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier
from pydantic import SecretStr

from resources.embedded_postgres import EmbeddedPostgres
from resources.lml.client import LmlClient
from resources.lml.config import LmlConfig
from resources.postgres import Postgres
from resources.sentry import SentryConfig, open_sentry
from resources.step_log import step_log
from wxyc_assets.album_metadata.run import Request, Tools, run
from wxyc_assets.migrate import migrate
from wxyc_assets.pace import Pace
from wxyc_assets.partitions import SHARD_COUNT
from wxyc_assets.progress import Silent
from wxyc_assets.sandbox.generator import generate_libraries, generate_plays
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.server import DEFAULT_API_KEY, SandboxLml
from wxyc_assets.sandbox.station import create

TEMPLATE = "bench_albums"
PACES = {"one_at_a_time": Pace(1, 1), "in_flight": Pace(1e9, 1)}


def make_template(server: EmbeddedPostgres, albums: int) -> None:
    """Make the station that every measurement copies: every album has a play that waits for its metadata."""
    server.ensure_database(TEMPLATE)
    postgres = Postgres(server.dsn(TEMPLATE), statement_timeout_ms=0)
    with postgres.connect() as connection:
        create(connection, sample=False)
        generate_libraries(connection, albums)
        generate_plays(connection, 2 * albums)
    migrate(postgres)
    with postgres.connect() as connection:
        connection.execute("VACUUM ANALYZE")


def measured(server: EmbeddedPostgres, lml_url: str, pace: Pace, batch_size: int) -> dict[str, float]:
    """Return how long one run over a fresh copy took, and what it wrote."""
    name = f"bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as admin:
        admin.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(TEMPLATE)))
    request = Request(
        run_id=name,
        origin="explicit",
        shards=range(SHARD_COUNT),
        retry_after=timedelta(days=30),
        pace=pace,
        batch_size=batch_size,
        budget_ms=25_000,
    )
    with LmlClient(LmlConfig(base_url=lml_url, api_key=SecretStr(DEFAULT_API_KEY))) as lml:
        tools = Tools(
            postgres=Postgres(server.dsn(name)),
            lml=lml,
            sentry=open_sentry(SentryConfig(dsn=None)),
            log=step_log(tool="bench", run_id=name, human=False, stream=io.StringIO()),
            progress=Silent(),
        )
        began = time.perf_counter()
        report = run(request, tools, lambda _done: None)
        took_s = time.perf_counter() - began
    counted = report.counters
    return {"seconds": round(took_s, 2), "albums": counted.scanned, "batches": counted.batches, "rows": counted.upserts}


def main() -> None:
    """Measure both, and print them with their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=2400)
    parser.add_argument("--batch-size", type=int, default=100)
    parser.add_argument("--latency-ms", type=float, default=200)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wxyc-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        server = EmbeddedPostgres(home)
        server.start()
        try:
            make_template(server, args.albums)
            with SandboxLml(latency_ms=args.latency_ms, discogs=DiscogsConfig(cold_items=0)) as lml:
                taken = {name: measured(server, lml.url, pace, args.batch_size) for name, pace in PACES.items()}
        finally:
            server.stop()
    ratio = taken["one_at_a_time"]["seconds"] / taken["in_flight"]["seconds"]
    print(json.dumps({"benchmark": "album_metadata", "latency_ms": args.latency_ms, **taken, "ratio": round(ratio, 2)}))


if __name__ == "__main__":
    main()
