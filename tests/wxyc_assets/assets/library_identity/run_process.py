"""One run in a process of its own, so that a test can kill it.

Usage: ``python -m tests.wxyc_assets.assets.library_identity.run_process DSN URL RUN_ID``.
"""

import sys

from resources.postgres import Postgres
from tests.wxyc_assets.assets.library_identity.harness import LibraryIdentityRuns


def main() -> int:
    dsn, url, run_id = sys.argv[1:]
    runs = LibraryIdentityRuns(Postgres(dsn), stream=sys.stderr)
    report = runs.run(url, run_id=run_id, client={"timeouts_s": {"bulk_resolve_libraries": 60}, "max_in_flight": 2})
    return 0 if report.verdict == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
