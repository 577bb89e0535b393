"""One run in a process of its own, so that a test can kill it.

Usage: ``python -m tests.wxyc_assets.assets.album_metadata.run_process DSN URL RUN_ID``.
"""

import sys

from resources.postgres import Postgres
from tests.wxyc_assets.assets.album_metadata.harness import AlbumMetadataRuns
from wxyc_assets.runs.discogs_rate import DiscogsRate


def main() -> int:
    dsn, url, run_id = sys.argv[1:]
    runs = AlbumMetadataRuns(Postgres(dsn), stream=sys.stderr)
    report = runs.run(url, run_id=run_id, discogs_rate=DiscogsRate(200, 1))
    return 0 if report.verdict == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
