"""Ends what a pytest process leaves behind when it dies: its child processes, and the servers in its temporary folders.

Usage: ``python -m tests.supervisor NAME=VALUE``, started by the pytest process that it watches, with a pipe as stdin.

Each process whose environment has that entry belongs to the pytest process, and so does each whose home is in a folder
that a line on stdin names: ``folder PATH``, or ``home PATH`` for a folder that is removed as well. The end of stdin means
that the pytest process has finished or has died; a forked child may hold the pipe open, so the parent's id is watched too.
"""

import os
import select
import shutil
import signal
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tests import process_table
from tests.process_table import Process
from tests.processes import belongs_to

_WATCH_S = 0.2
_QUIT_TIMEOUT_S = 5.0
_KILL_TIMEOUT_S = 20.0
_HOMES = (b"WXYC_HOME=", b"DAGSTER_HOME=")
_SERVER_PROGRAMS = ("postgres", "initdb")


def main() -> int:
    """Wait for the death of the parent, then end everything that belongs to it; 1 if something cannot be ended."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    mark = sys.argv[1].encode()
    lines = _lines_until_the_end(os.getppid())
    homes = {Path(path) for kind, path in lines if kind == "home"}
    folders = homes | {Path(path) for kind, path in lines if kind == "folder"}
    left = process_table.end(lambda process: belongs_to(process, mark) or _lives_in(process, folders), _KILL_TIMEOUT_S)
    places = folders | set(_relocated(folders))
    process_table.end(lambda process: _serves(process, places), _QUIT_TIMEOUT_S, signal.SIGQUIT)
    left += process_table.end(lambda process: _serves(process, places), _KILL_TIMEOUT_S)
    for place in (places - folders) | homes:
        shutil.rmtree(place, ignore_errors=True)
    return 1 if left else 0


def _lines_until_the_end(parent: int) -> list[tuple[str, str]]:
    read = b""
    while os.getppid() == parent:
        if select.select([0], [], [], _WATCH_S)[0]:
            if not (more := os.read(0, 65536)):
                break
            read += more
    return [(kind, path) for kind, _, path in (line.partition(" ") for line in os.fsdecode(read).splitlines())]


def _lives_in(process: Process, folders: set[Path]) -> bool:
    homes = (entry.partition(b"=")[2] for entry in process.environ if entry.startswith(_HOMES))
    return any(_below(home, folders) for home in homes)


def _serves(process: Process, places: set[Path]) -> bool:
    """Say whether it is a PostgreSQL server, or its initdb, whose data directory is below one of the places."""
    program, *words = process.arguments or (b"",)
    if Path(os.fsdecode(program)).name not in _SERVER_PROGRAMS:
        return False
    return any(_below(data, places) for option, data in pairwise(words) if option == b"-D")


def _below(path: bytes, folders: set[Path]) -> bool:
    return any(folder == Path(os.fsdecode(path)) or folder in Path(os.fsdecode(path)).parents for folder in folders)


def _relocated(folders: set[Path]) -> Iterator[Path]:
    """Return where servers keep the data of homes in these folders, if not in the home itself."""
    for folder in folders:
        for here, below, _ in os.walk(folder):
            data = Path(here, "data")
            if Path(here).name == "postgres" and data.is_symlink():
                yield data.readlink().parent
            below[:] = [name for name in below if name != "data"]


if __name__ == "__main__":
    sys.exit(main())
