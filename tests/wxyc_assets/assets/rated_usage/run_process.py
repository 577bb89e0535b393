"""One run in a process of its own, so that a test can kill it.

Usage: ``python -m tests.wxyc_assets.assets.rated_usage.run_process DSN FOLDER FIRST_HOUR HOURS ROUNDS``.
Prints each hour as soon as it is credited. The prices are the file in FOLDER.
"""

import sys
from pathlib import Path

from resources.postgres import Postgres
from resources.step_log import step_log
from wxyc_assets.assets.price_book.load import load_price_book
from wxyc_assets.assets.rated_usage.run import HourDone, Request, Tools, run
from wxyc_assets.runs.partitions import HOUR, hour_key, hour_start
from wxyc_assets.runs.progress import NoProgress


def print_hour(done: HourDone) -> None:
    sys.stdout.write(done.hour + "\n")
    sys.stdout.flush()


def main() -> int:
    dsn, folder, first, hours, rounds = sys.argv[1:]
    keys = [hour_key(hour_start(first) + place * HOUR) for place in range(int(hours))]
    worst = 0
    for number in range(int(rounds)):
        request = Request(f"{first} {number}", "explicit", keys, trailing=1)
        tools = Tools(
            Postgres(dsn),
            lambda: load_price_book(Path(folder) / "prices.yaml"),
            step_log(tool="rater", run_id=request.run_id),
            NoProgress(),
        )
        report = run(request, tools, print_hour)
        worst = max(worst, {"done": 0, "failed": 1, "anomaly": 2}[report.verdict])
    return worst


if __name__ == "__main__":
    sys.exit(main())
