"""The server's main process: recognised by its command line, detached from its starter, ended by a signal."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from resources.embedded_postgres import postmaster
from resources.embedded_postgres.account import Account
from tests.resources.embedded_postgres.homes import AMPLE_S, layout, main_process
from tests.waiting import wait_for

OURS = Account(os.geteuid(), os.getegid())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def launched(data, tmp_path):
    """Launches a stand-in for the server of ``data``, which ends with the test; returns its process id."""
    started = []

    def launch(log: Path = tmp_path / "log") -> int:
        wait_in_vain = "import signal; print('started', flush=True); signal.pause()"
        command = [sys.executable, "-c", wait_in_vain, f"{tmp_path}/postgres", "-D", str(data), "-c", "port=5432"]
        pid = postmaster.launch(command, OURS, log)
        started.append(pid)
        return pid

    yield launch
    for pid in started:
        os.kill(pid, signal.SIGKILL)


def test_the_command_line_begins_with_program_and_data_directory():
    command = postmaster.command(Path("/x/bin/postgres"), Path("/home/data"), ["port=5432", "timezone=UTC"])
    assert command == ["/x/bin/postgres", "-D", "/home/data", "-c", "port=5432", "-c", "timezone=UTC"]


def test_a_server_is_known_by_its_data_directory(launched, data):
    pid = launched()
    wait_for(lambda: postmaster.is_server(pid, data), "the launched process", AMPLE_S)
    assert not postmaster.is_server(pid, data.with_name("dat"))
    assert not postmaster.is_server(os.getpid(), data)


def test_a_server_in_the_middle_of_its_exec_is_alive(data, tmp_path):
    """The kernel shows an empty command line during an exec; this stand-in executes itself again and again."""
    program = tmp_path / "postgres"
    program.write_text('#!/bin/sh\nexec "$0" "$@"\n')
    program.chmod(0o755)
    with subprocess.Popen([program, "-D", data, "-c", "port=5432"]) as process:
        wait_for(lambda: postmaster.is_server(process.pid, data), "the launched process", AMPLE_S)
        missed = sum(not postmaster.is_server(process.pid, data) for _ in range(2000))
        process.kill()
    assert missed == 0


def test_a_launched_process_is_detached_and_writes_to_the_log(launched, data, tmp_path, monkeypatch):
    """It is in a session of its own, and inherits no secret of the environment."""
    monkeypatch.setenv("LML_API_KEY", "a-secret")
    pid = launched()
    wait_for(lambda: "started" in (tmp_path / "log").read_text(), "line in the log", AMPLE_S)
    assert os.getsid(pid) != os.getsid(0)
    assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
    assert b"a-secret" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_the_lock_file_names_a_live_server(launched, data):
    pid = launched()
    (data / "postmaster.pid").write_text(f"{pid}\n{data}\n")
    wait_for(lambda: postmaster.find(data) == pid, "the launched process", AMPLE_S)


@pytest.mark.parametrize("content", [None, "", "garbage\n", "999999999\n", "{ours}\n"])
def test_a_lock_file_that_names_no_server_is_ignored(data, content):
    if content is not None:
        (data / "postmaster.pid").write_text(content.format(ours=os.getpid()))
    assert postmaster.find(data) is None


def test_only_the_locks_of_an_ended_server_are_removed(launched, data, tmp_path):
    socket_lock = tmp_path / ".s.PGSQL.5432.lock"
    pid = launched()
    wait_for(lambda: postmaster.is_server(pid, data), "the launched process", AMPLE_S)
    for named, remain in ((pid, True), (os.getpid(), False)):
        for lock in (data / "postmaster.pid", socket_lock):
            lock.write_text(f"{named}\n")
        postmaster.remove_stale_locks(data, tmp_path)
        assert ((data / "postmaster.pid").exists(), socket_lock.exists()) == (remain, remain)


def test_a_program_that_runs_to_its_end_returns_code_and_output():
    assert postmaster.run_to_end(["/bin/sh", "-c", "echo out; echo err >&2; exit 3"], OURS, AMPLE_S) == (3, "out\nerr")


def test_a_program_that_hangs_is_ended_by_its_timeout():
    with pytest.raises(subprocess.TimeoutExpired):
        postmaster.run_to_end(["/bin/sleep", "300"], OURS, 0.1)


def test_processes_that_work_in_the_data_directory_are_listed(data):
    with subprocess.Popen(["/bin/sleep", "300"], cwd=data) as worker:
        try:
            assert postmaster.processes_in(data) == [worker.pid]
        finally:
            worker.kill()
    assert postmaster.processes_in(data) == []


def test_a_fast_shutdown_ends_a_server_that_has_sessions(used):
    used.start()
    data, pid = layout(used).data, main_process(used)
    with psycopg.connect(used.dsn()):
        postmaster.shut_down_fast(pid)
        wait_for(lambda: not postmaster.is_server(pid, data), "end of the server", AMPLE_S)
    assert "received fast shutdown request" in layout(used).log.read_text()
