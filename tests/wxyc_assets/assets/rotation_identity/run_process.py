"""A run in a process of its own, to be killed: ``python -m tests.wxyc_assets.rotation_identity.a_run DSN URL RUN_ID``."""

import signal
import sys

from resources.postgres import Postgres
from tests.wxyc_assets.rotation_identity.rotations import Rotations


def main() -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts tests in the background has it ignored
    dsn, url, run_id = sys.argv[1:]
    report = Rotations(Postgres(dsn), stream=sys.stderr).run(
        url, run_id=run_id, client={"timeouts_s": {"resolve_identity": 60}}
    )
    return 0 if report.verdict == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
