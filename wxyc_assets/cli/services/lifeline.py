"""The life of a service inside its process: it ends with its stdin, together with its whole process group.

``wxyc up`` holds the other end of stdin and closes it to stop the service. The kernel closes it when ``up`` is killed.
"""

import os
import signal
import sys
import threading
import time

from wxyc_assets.cli.services import process_group

GRACE_S = 4.0
"""Time in which a service, its code servers and their runs end by themselves after SIGTERM."""

BACKSTOP_S = 6
"""When SIGALRM ends a process whose threads cannot run, because an extension or Python's own end holds the interpreter."""


def follow_stdin() -> None:
    """End this process group soon after stdin has ended; call it first, in the leader of the group."""
    threading.Thread(target=_follow, name="lifeline", daemon=True).start()


def end_group() -> None:
    """End the other processes of this group: SIGTERM, and SIGKILL to those that are left after the grace."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    if not process_group.wait_until_empty(os.getpgrp(), GRACE_S):
        process_group.kill(os.getpgrp())


def _follow() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    signal.alarm(BACKSTOP_S)
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_S)  # this thread ends earlier if the process does
    process_group.kill(os.getpgrp())
    os._exit(1)
