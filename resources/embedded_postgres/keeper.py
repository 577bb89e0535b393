"""Ends one lease of a server: ``python -m resources.embedded_postgres.keeper HOME DESCRIPTOR``, started by the lease.

The end of stdin without a byte means that the process that held the lease was killed. Its children then get a few seconds to
end, since they hold the lease as well.
"""

import os
import signal
import sys
import time
from pathlib import Path

from resources.embedded_postgres import lease
from resources.embedded_postgres.errors import EmbeddedPostgresError
from resources.embedded_postgres.launcher import EmbeddedPostgres

_CHILDREN_TIMEOUT_S = 8.0
_LAUNCH_TIMEOUT_S = 3.0  # a server that was launched just before the kill has recorded its process id by then


def main(home: str, descriptor: str) -> int:
    """Wait for the end of the lease; stop the server if it was started for leases and this was the last one."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    killed = not os.read(sys.stdin.fileno(), 1)
    os.close(int(descriptor))
    server = EmbeddedPostgres(Path(home))
    try:
        with lease.alone(server.layout, _CHILDREN_TIMEOUT_S if killed else 0.0) as last:
            if last and server.layout.until_unused.exists():
                _stop(server, _LAUNCH_TIMEOUT_S if killed else 0.0)
    except (EmbeddedPostgresError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _stop(server: EmbeddedPostgres, timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while not server.stop() and time.monotonic() < deadline:
        time.sleep(0.2)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
