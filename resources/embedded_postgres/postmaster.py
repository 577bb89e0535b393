"""The server's main process: launching it, finding it, ending it."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from resources.embedded_postgres import server_log
from resources.embedded_postgres.account import Account

_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}  # nothing of the starter's environment: no PG* settings, no secrets
# The shell ends at once, so that the server is an orphan in a session of its own: no Ctrl-C and no hangup reaches it.
_DETACH = '"$@" </dev/null >&2 & echo $!'
_EXEC_TIMEOUT_S = 5.0  # a process may have emptied its own command line for good
_EXEC_POLL_S = 0.001


def command(program: Path, data: Path, settings: Sequence[str]) -> list[str]:
    """Return the server's command line. ``is_server`` recognises it by its beginning, program and data directory."""
    return [str(program), "-D", str(data), *(word for setting in settings for word in ("-c", setting))]


def launch(server_command: Sequence[str], account: Account, log: Path) -> int:
    """Launch a detached server and return its process id, before the server is ready."""
    with server_log.append(log) as stream:
        shell = subprocess.run(  # noqa: S603 - our own command line
            ["/bin/sh", "-c", _DETACH, "sh", *server_command],
            cwd="/", env=_ENVIRONMENT, umask=0o077, start_new_session=True,
            stdout=subprocess.PIPE, stderr=stream, text=True, check=True, **account.child_identity(),
        )  # fmt: skip
    return int(shell.stdout)


def run_to_end(arguments: Sequence[str], account: Account, timeout_s: float) -> tuple[int, str]:
    """Run a program of PostgreSQL; return its exit code and its whole output."""
    done = subprocess.run(  # noqa: S603 - our own command line
        arguments, cwd="/", env=_ENVIRONMENT, umask=0o077, timeout=timeout_s, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **account.child_identity(),
    )  # fmt: skip
    return done.returncode, done.stdout.strip()


def find(data: Path) -> int | None:
    """Return the process id of the live server of this data directory, or None.

    After a crash the process id in the lock file may belong to another program by now. So it counts only if that process was
    started as a server of this directory.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if is_server(pid, data) else None


def is_server(pid: int, data: Path) -> bool:
    """Return whether the process is alive and is the main server process of this data directory."""
    return f"/postgres -D {data} " in _command_line(pid)


def remove_stale_locks(data: Path, socket_dir: Path) -> None:
    """Remove the lock files of a server that has ended: PostgreSQL refuses to start if another program has its id now.

    This does not hide child processes of that server: PostgreSQL finds the shared memory that they hold without these files.
    """
    if find(data) is None:
        for lock in (data / "postmaster.pid", *socket_dir.glob(".s.PGSQL.*.lock")):
            lock.unlink(missing_ok=True)


def shut_down_fast(pid: int) -> None:
    """Tell the server to end all sessions, write all data to disk and end."""
    os.kill(pid, signal.SIGINT)


def processes_in(data: Path) -> list[int]:
    """Return the processes whose working directory is the data directory; empty on systems other than Linux."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == data:
                found.append(int(entry.name))
        except OSError:
            continue  # it has ended meanwhile, or belongs to another user
    return sorted(found)


def _command_line(pid: int) -> str:
    """Return the command line of a live process with single spaces; empty for a dead process or a zombie.

    On Linux the line of a live process is empty for a moment during its exec, which a busy machine makes long.
    """
    if Path("/proc/self/cmdline").exists():
        deadline = time.monotonic() + _EXEC_TIMEOUT_S
        while not (line := _read_command_line(pid)) and _has_program(pid) and time.monotonic() < deadline:
            time.sleep(_EXEC_POLL_S)
        return line
    shown = subprocess.run(  # noqa: S603 - a fixed program and a number
        ["/bin/ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() + " "


def _read_command_line(pid: int) -> str:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "))
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _has_program(pid: int) -> bool:
    """Return whether the process runs a program; zombies and the kernel's own threads run none."""
    try:
        return bool(Path(f"/proc/{pid}/exe").readlink())
    except OSError:
        return False
