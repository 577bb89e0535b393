"""Child processes of tests: default signals, a session of their own, and an end with the test and with pytest.

``running`` starts one and ends its whole session with the block. A supervisor (``tests/supervisor.py``) covers what no
block can: when pytest or one of its workers is killed, it ends every process that this one started and every PostgreSQL
server in its temporary folders.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests import process_table
from tests.process_table import Process

ROOT = Path(__file__).resolve().parents[1]
MARK = "PYTEST_SUPERVISED_AS"  # an environment variable: every process that inherits it belongs to this pytest process
WATCH_S = 0.2
KILL_TIMEOUT_S = 30.0
SWEEP_TIMEOUT_S = 60.0

_supervisor: "subprocess.Popen[bytes] | None" = None


def give_children_default_signals() -> None:
    """Let each child process start with default dispositions, and let this process itself ignore what it ignored.

    A background job of a script ignores SIGINT, and programs inherit that. A handler that does nothing is not inherited.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


def start_supervisor() -> None:
    """Start the process that ends all children of this one after its death; call it once, before any child."""
    global _supervisor  # noqa: PLW0603 - one for the process
    os.environ.pop(MARK, None)  # of the controller: what is marked dies with it, and the supervisor must outlive it
    mark = uuid.uuid4().hex
    _supervisor = subprocess.Popen(
        [sys.executable, "-m", "tests.supervisor", f"{MARK}={mark}"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    os.environ[MARK] = mark


def end_children() -> None:
    """Kill every process that this one started: under xdist the workers, whose supervisors then end theirs."""
    if MARK in os.environ:
        mark = f"{MARK}={os.environ[MARK]}".encode()
        process_table.end(lambda process: belongs_to(process, mark), KILL_TIMEOUT_S)


def belongs_to(process: Process, mark: bytes) -> bool:
    """Say whether a process was started by the one that gives its children this mark, or by one of these children."""
    return any(entry == mark or entry.startswith(mark + b".") for entry in process.environ)


def stop_supervisor() -> None:
    """Let the supervisor end what is left, and wait for it."""
    if _supervisor is not None and _supervisor.stdin is not None:
        _supervisor.stdin.close()
        _supervisor.wait(SWEEP_TIMEOUT_S)


def supervise_folder(folder: Path) -> None:
    """Let the supervisor end the PostgreSQL servers in a folder, and all processes that have their home in it."""
    _tell(f"folder {folder}")


@contextmanager
def temporary_home(prefix: str, parent: str | None = None) -> Iterator[Path]:
    """A folder that the embedded server's account can enter; it is removed with the block or after pytest's death."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    folder.chmod(0o711)  # as root the server runs as another account, which must get in
    _tell(f"home {folder}")
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(command: Sequence[str | Path], **options: Any) -> Iterator["subprocess.Popen[Any]"]:
    """Run a program in a session of its own; with the block, however it ends, the whole session ends.

    ``options`` are those of ``subprocess.Popen``. A program that the test expects to end by itself may do so.
    """
    mark = f"{os.environ.get(MARK, 'unsupervised')}.{uuid.uuid4().hex}"
    environ = {**options.pop("env", os.environ), MARK: mark}
    process = subprocess.Popen(command, start_new_session=True, env=environ, **options)
    try:
        yield process
    finally:
        left = process_table.end(_of(process, mark), KILL_TIMEOUT_S)
        process.wait(KILL_TIMEOUT_S)
        assert not left, f"processes {left} cannot be killed"
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


def end_with_parent() -> None:
    """Let this process, which was forked and so has no mark of its own, end soon after its parent."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def processes_of(session: int) -> list[int]:
    """Return the processes of a session that have not ended."""
    return [process.pid for process in process_table.living() if process.session == session]


def _of(leader: "subprocess.Popen[Any]", mark: str) -> Callable[[Process], bool]:
    """Return the question whether a process is this child, in its session, or started by it in whatever session."""
    entry = f"{MARK}={mark}".encode()
    return lambda process: process.session == leader.pid or entry in process.environ


def _tell(line: str) -> None:
    if _supervisor is not None and _supervisor.stdin is not None:
        _supervisor.stdin.write(f"{line}\n".encode())
        _supervisor.stdin.flush()
