"""One run in a process of its own, so that a test can kill it.

Usage: ``python -m tests.wxyc_assets.assets.flowsheet_enrichment.run_process DSN RUN_ID``.
"""

import sys

from resources.postgres import Postgres
from tests.wxyc_assets.assets.flowsheet_enrichment.harness import FlowsheetEnrichmentRuns


def main() -> int:
    dsn, run_id = sys.argv[1:]
    report = FlowsheetEnrichmentRuns(Postgres(dsn), stream=sys.stderr, chunk_plays=5).run(run_id=run_id)
    return 0 if report.verdict == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
