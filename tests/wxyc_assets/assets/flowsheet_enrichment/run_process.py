"""A pass in a process of its own, to be killed: ``python -m tests.wxyc_assets.flowsheet_enrichment.a_pass DSN RUN_ID``."""

import sys

from resources.postgres import Postgres
from tests.wxyc_assets.flowsheet_enrichment.passes import Passes


def main() -> int:
    dsn, run_id = sys.argv[1:]
    report = Passes(Postgres(dsn), stream=sys.stderr, chunk_plays=5).run(run_id=run_id)
    return 0 if report.verdict == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
