"""Questions to a server of a test, and a way to kill it."""

import os
import signal
from pathlib import Path
from typing import Any

import psycopg

from resources.embedded_postgres import EmbeddedPostgres, postmaster
from resources.embedded_postgres.layout import Layout, layout_of
from tests.waiting import wait_for

ROOT = os.geteuid() == 0
AMPLE_S = 240.0
"""Time for anything that is expected to happen, however busy the machine is."""


def one(server: EmbeddedPostgres, query: str, dbname: str = "postgres") -> tuple[Any, ...]:
    """Return the only row of a query."""
    with psycopg.connect(server.dsn(dbname)) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row


def answers(server: EmbeddedPostgres) -> bool:
    return one(server, "SELECT 1") == (1,)


def layout(server: EmbeddedPostgres) -> Layout:
    return layout_of(server._home)


def main_process(server: EmbeddedPostgres) -> int:
    """Return the process id of a running server."""
    pid = postmaster.find(layout(server).data)
    assert pid is not None
    return pid


def kill_server(server: EmbeddedPostgres) -> None:
    """Kill the main process with SIGKILL and wait until it has ended."""
    data, pid = layout(server).data, main_process(server)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not postmaster.is_server(pid, data), "end of the killed server", AMPLE_S)


def identity(folder: Path) -> tuple[int, int, int]:
    """Return what no start may change of an existing folder: mode, owner, group."""
    entry = folder.stat()
    return entry.st_mode, entry.st_uid, entry.st_gid
