"""Starts and stops the server; the caller holds the start lock."""

import time

from resources.embedded_postgres import postmaster, server_log
from resources.embedded_postgres.account import Account, account_of
from resources.embedded_postgres.binaries import reachable_binaries
from resources.embedded_postgres.cluster import ensure_initialised, record_relocation
from resources.embedded_postgres.connection import accepts_connections
from resources.embedded_postgres.errors import EmbeddedPostgresError
from resources.embedded_postgres.folders import make_private, make_reachable
from resources.embedded_postgres.layout import PORT, Layout

_POLL_S = 0.05
_RELAUNCH_PAUSE_S = 0.5
_MIN_STARTUP_S = 2.0  # a new server gets at least this long to answer, or to log why it does not
_STOP_TIMEOUT_S = 60.0
_SHARED_MEMORY_HELD = "pre-existing shared memory block"
_SETTINGS = (
    "listen_addresses=",
    f"port={PORT}",
    "unix_socket_permissions=0700",
    "timezone=UTC",
    "log_timezone=UTC",
    "log_checkpoints=off",
    "logging_collector=off",
    "max_connections=200",
    "shared_buffers=256MB",
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    # Without replication, rows that are copied into a table of the same transaction need no WAL.
    "wal_level=minimal",
    "max_wal_senders=0",
)


def ensure_running(layout: Layout, deadline: float) -> bool:
    """Return when the server answers; True if it was launched here.

    ``deadline`` is on the monotonic clock, in seconds. Raises EmbeddedPostgresError when it passes or the server fails.
    """
    if layout.relocated:
        make_reachable(layout.cluster.parent)
        make_reachable(layout.cluster)
        _stop_disowned(layout)
        record_relocation(layout)
    found = postmaster.find(layout.data)
    if found is not None and _answers_in_time(layout, found, deadline):
        return False
    account = account_of(layout.data)
    command = _prepare(layout, account, deadline)
    return _launch(layout, account, command, deadline)


def shut_down(layout: Layout) -> bool:
    """End the server and wait for its end; return whether there was one."""
    pid = postmaster.find(layout.data)
    if pid is None:
        return False
    postmaster.shut_down_fast(pid)
    deadline = time.monotonic() + _STOP_TIMEOUT_S
    while postmaster.is_server(pid, layout.data):
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"The server (process {pid}) has been ending for {_STOP_TIMEOUT_S:.0f} s and has not ended yet. Wait,"
                f" then try again.{server_log.quoted(layout.log)}"
            )
        time.sleep(_POLL_S)
    return True


def _stop_disowned(layout: Layout) -> None:
    """End a server whose home was removed: its data is about to be renamed."""
    if not layout.has_data_entry:
        shut_down(layout)


def _prepare(layout: Layout, account: Account, deadline: float) -> list[str]:
    """Create all that the server needs, and return its command line."""
    _require_reachable(layout, account)
    make_private(layout.socket_dir, account)
    binaries = reachable_binaries(account, layout.cluster / "binaries")
    ensure_initialised(layout, account, binaries, timeout_s=max(deadline - time.monotonic(), 1.0))
    settings = (*_SETTINGS, f"unix_socket_directories={layout.socket_dir}")
    return postmaster.command(binaries.bin / "postgres", layout.data, settings)


def _require_reachable(layout: Layout, account: Account) -> None:
    if not account.can_reach(layout.cluster):
        raise EmbeddedPostgresError(
            f"{layout.cluster} is now below a folder that user id {account.uid}, which runs the server, may not enter."
            " Open the folders above it again (chmod o+x), or move it to a home that is open."
        )


def _launch(layout: Layout, account: Account, command: list[str], deadline: float) -> bool:
    """Launch the server, repeatedly while processes of a killed server hold its shared memory.

    Returns whether the running server is the one that was launched here.
    """
    while True:
        postmaster.remove_stale_locks(layout.data, layout.socket_dir)
        since = server_log.size(layout.log)
        pid = postmaster.launch(command, account, layout.log)
        if _answers_in_time(layout, pid, max(deadline, time.monotonic() + _MIN_STARTUP_S)):
            return postmaster.find(layout.data) == pid
        rival = postmaster.find(layout.data)  # launched by a starter that was killed before it waited
        if rival is not None and _answers_in_time(layout, rival, deadline):
            return False
        if _SHARED_MEMORY_HELD not in server_log.tail(layout.log, since):
            raise EmbeddedPostgresError(
                "The server ended while it was starting. Fix the cause that its log names, then try again."
                f"{server_log.quoted(layout.log, since)}"
            )
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"Processes of a server that was killed still use {layout.data}: {_listed(layout)}. They end with their"
                f" current statement; end them (kill) or wait, then try again.{server_log.quoted(layout.log, since)}"
            )
        time.sleep(_RELAUNCH_PAUSE_S)


def _answers_in_time(layout: Layout, pid: int, deadline: float) -> bool:
    """Wait for the server; return False if its process ends first. Raises EmbeddedPostgresError after the deadline."""
    while not accepts_connections(layout):
        if not postmaster.is_server(pid, layout.data):
            return accepts_connections(layout)
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"The server (process {pid}) is alive but did not answer at {layout.socket_dir} in the time given. After a"
                " crash of a busy server it may still be recovering: start again with more time. If it still does not"
                f" answer, stop it, then start it.{server_log.quoted(layout.log)}"
            )
        time.sleep(_POLL_S)
    return True


def _listed(layout: Layout) -> str:
    return ", ".join(map(str, postmaster.processes_in(layout.data))) or "ids unknown here"
