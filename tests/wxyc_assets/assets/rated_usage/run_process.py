"""A run in a process of its own: ``python -m tests.wxyc_assets.rated_usage.a_run DSN FOLDER FIRST_HOUR HOURS ROUNDS``.

Prints each hour as soon as it is credited. The prices are the file in FOLDER.
"""

import sys
from pathlib import Path

from resources.postgres import Postgres
from resources.step_log import step_log
from wxyc_assets.price_book.load import load_price_book
from wxyc_assets.progress import Silent
from wxyc_assets.rated_usage.run import HourDone, Request, Tools, run
from wxyc_assets.rated_usage.windows import HOUR, key, start_of


def said(done: HourDone) -> None:
    sys.stdout.write(done.hour + "\n")
    sys.stdout.flush()


def main() -> int:
    dsn, folder, first, hours, rounds = sys.argv[1:]
    keys = [key(start_of(first) + place * HOUR) for place in range(int(hours))]
    worst = 0
    for number in range(int(rounds)):
        request = Request(f"{first} {number}", "explicit", keys, trailing=1)
        tools = Tools(
            Postgres(dsn),
            lambda: load_price_book(Path(folder) / "prices.yaml"),
            step_log(tool="rater", run_id=request.run_id, human=False),
            Silent(),
        )
        report = run(request, tools, said)
        worst = max(worst, {"done": 0, "failed": 1, "anomaly": 2}[report.verdict])
    return worst


if __name__ == "__main__":
    sys.exit(main())
