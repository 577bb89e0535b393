"""One run in a process of its own, so that a test can kill it.

Usage: ``python -m tests.wxyc_assets.assets.rotation_cache.run_process DSN URL RUN_ID``.
"""

import sys

from resources.postgres import Postgres
from tests.wxyc_assets.assets.rotation_cache.harness import RotationCacheRuns
from wxyc_assets.assets.rotation_cache.plan import Batching


def main() -> int:
    dsn, url, run_id = sys.argv[1:]
    report = RotationCacheRuns(Postgres(dsn), stream=sys.stderr).run(url, run_id=run_id, batching=Batching(2, 2))
    return 0 if report.verdict == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
