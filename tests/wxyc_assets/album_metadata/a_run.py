"""A run in a process of its own, to be killed: ``python -m tests.wxyc_assets.album_metadata.a_run DSN URL RUN_ID``."""

import sys

from resources.postgres import Postgres
from tests.wxyc_assets.album_metadata.runs import Runs
from wxyc_assets.pace import Pace


def main() -> int:
    dsn, url, run_id = sys.argv[1:]
    runs = Runs(Postgres(dsn), stream=sys.stderr)
    report = runs.run(url, run_id=run_id, pace=Pace(200, 1))
    return 0 if report.verdict == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
