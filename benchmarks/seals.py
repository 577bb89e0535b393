"""Seconds of sealing a month of hours, and of verifying it: each event is read, digested and rated again.

python -m benchmarks.seals [--hours 720] [--events-an-hour 20000] [--rounds 2]
"""

import argparse
import io
import json
import tempfile
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from benchmarks.rated_usage import seconds
from benchmarks.stations import create_station, temporary_server
from resources.postgres import Postgres
from resources.step_log import step_log
from wxyc_assets.assets.price_book.load import load_price_book
from wxyc_assets.assets.rated_usage.run import Request, Tools, run
from wxyc_assets.assets.rated_usage.seals.sealing import SealRequest, hours_to_seal, seal
from wxyc_assets.assets.rated_usage.seals.verification import read_chain, verify
from wxyc_assets.assets.rated_usage.unbilled.search import search_window
from wxyc_assets.runs.partitions import HOUR, hour_key
from wxyc_assets.runs.progress import NoProgress
from wxyc_assets.sandbox.generator import generate_billing_events

START = datetime(2026, 6, 1, tzinfo=UTC)
ACCOUNTS = 200
MODELS = ("m0", "m1", "m2")
PRICES = "version: 1\nbase_models:\n" + "".join(
    f"  {model}: {{prompt: '0.00000015', cached: '0.000000015', completion: '0.0000006'}}\n" for model in MODELS
)


def rate(postgres: Postgres, hours: int, price_file: Path) -> None:
    """Rate every hour as the asset does."""
    keys = [hour_key(START + place * HOUR) for place in range(hours)]
    request = Request(uuid.uuid4().hex, "explicit", keys, trailing=1)
    log = step_log(tool="benchmark", run_id=request.run_id, stream=io.StringIO())
    report = run(request, Tools(postgres, lambda: load_price_book(price_file), log, NoProgress()), lambda _done: None)
    if report.problems:
        raise RuntimeError(report.reason)


def seal_all(postgres: Postgres, hours: int) -> None:
    """Seal every hour."""
    window = search_window(datetime.now(UTC), 24, START)
    request = SealRequest(START + hours * HOUR, window, "benchmark")
    with postgres.connect() as connection:
        found = hours_to_seal(connection, request)
    if len(list(seal(postgres, found, request))) != hours:
        raise RuntimeError("hours are not sealed")


def verify_all(postgres: Postgres, hours: int) -> None:
    """Verify every hour."""
    chain = read_chain(postgres)
    results = list(verify(postgres, [START + place * HOUR for place in range(hours)], chain.states))
    if chain.problems or len(results) != hours or not all(result.sealed and not result.problems for result in results):
        raise RuntimeError("hours are not verified")


def main() -> None:
    """Measure one station, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=int, default=720)
    parser.add_argument("--events-an-hour", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    hours, events = options.hours, options.hours * options.events_an_hour

    def fill(connection: psycopg.Connection) -> None:
        models = dict.fromkeys(MODELS)
        day = timedelta(days=1)
        for first in range(0, hours, 24):
            some = min(24, hours - first)
            generate_billing_events(
                connection,
                some * options.events_an_hour,
                first_instant=START + first // 24 * day,
                hours=some,
                accounts=ACCOUNTS,
                models=models,
                odd_share=0,
                seed=first,
            )
        connection.execute("VACUUM ANALYZE billing_event")

    with temporary_server() as (server, _), tempfile.TemporaryDirectory() as folder:
        price_file = Path(folder) / "prices.yaml"
        price_file.write_text(PRICES)
        postgres = create_station(server, "month", fill)
        rated_s = seconds(lambda: rate(postgres, hours, price_file))
        sealed_s = seconds(lambda: seal_all(postgres, hours))
        verified_s = min(seconds(lambda: verify_all(postgres, hours)) for _ in range(options.rounds))
        print(
            json.dumps(
                {
                    "hours": hours,
                    "events": events,
                    "rated_s": round(rated_s, 1),
                    "sealed_s": round(sealed_s, 1),
                    "verified_s": round(verified_s, 1),
                    "verified_events_a_second": round(events / verified_s),
                }
            )
        )


if __name__ == "__main__":
    main()
