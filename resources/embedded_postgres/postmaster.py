"""The server's main process: which one it is, how it is launched, and how it is told to end."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from resources.embedded_postgres import server_log
from resources.embedded_postgres.account import Account

_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}  # nothing of the starter's: no PG* settings, no secrets
# The shell ends at once, so the server becomes an orphan in a session of its own: no Ctrl-C and no hangup reaches it.
_DETACH = '"$@" </dev/null >&2 & echo $!'


def command(program: Path, data: Path, settings: Sequence[str]) -> list[str]:
    """Return the server's command line. It begins with program and data directory, which is how it is known again."""
    return [str(program), "-D", str(data), *(word for setting in settings for word in ("-c", setting))]


def launch(server_command: Sequence[str], account: Account, log: Path) -> int:
    """Launch a detached server and return its process id; it is not yet ready then."""
    with server_log.append(log) as stream:
        shell = subprocess.run(  # noqa: S603 - our own command line
            ["/bin/sh", "-c", _DETACH, "sh", *server_command],
            cwd="/", env=_ENVIRONMENT, umask=0o077, start_new_session=True,
            stdout=subprocess.PIPE, stderr=stream, text=True, check=True, **account.child_identity(),
        )  # fmt: skip
    return int(shell.stdout)


def run_to_end(arguments: Sequence[str], account: Account, timeout_s: float) -> tuple[int, str]:
    """Run a program of PostgreSQL's and return its exit code and everything it said."""
    done = subprocess.run(  # noqa: S603 - our own command line
        arguments, cwd="/", env=_ENVIRONMENT, umask=0o077, timeout=timeout_s, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **account.child_identity(),
    )  # fmt: skip
    return done.returncode, done.stdout.strip()


def find(data: Path) -> int | None:
    """Return the process id of the live server of this data directory, or None.

    The lock file that a crash leaves behind names a process id that may be anybody's by now, so it is believed only
    if that process was started as a server of this very directory.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if is_server(pid, data) else None


def is_server(pid: int, data: Path) -> bool:
    """Say whether the process lives and is the main server process of this data directory."""
    return f"/postgres -D {data} " in _command_line(pid)


def remove_stale_locks(data: Path, socket_dir: Path) -> None:
    """Remove the lock files of a server that is gone: PostgreSQL refuses to start if any program has its id now.

    Its orphans stay guarded against: PostgreSQL finds the shared memory that they hold without these files.
    """
    if find(data) is None:
        for lock in (data / "postmaster.pid", *socket_dir.glob(".s.PGSQL.*.lock")):
            lock.unlink(missing_ok=True)


def shut_down_fast(pid: int) -> None:
    """Ask the server to end all sessions, write everything out and end."""
    os.kill(pid, signal.SIGINT)


def left_behind(data: Path) -> list[int]:
    """Return the processes that work in the data directory, as far as this system tells (Linux)."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == data:
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended meanwhile, or is another user's
    return sorted(found)


def _command_line(pid: int) -> str:
    """Return a live process's command line with single spaces; empty for a dead one or one that awaits its parent."""
    if Path("/proc/self/cmdline").exists():
        try:
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "))
        except (FileNotFoundError, ProcessLookupError):
            return ""
    shown = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() + " "
