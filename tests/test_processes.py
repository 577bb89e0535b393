"""A process that a test starts has default signals, and ends with the test, with its pytest process or with Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from tests import process_table
from tests.processes import ROOT, running

TIMEOUT_S = 120.0  # seconds suffice on a quiet machine

# It ends by nothing but SIGKILL.
STUBBORN = """
import signal, time
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""

PARENT_OF_A_DETACHED_CHILD = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""

BACKGROUND_JOB = """
import os, signal, subprocess, sys
from tests.processes import give_children_default_signals
for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
give_children_default_signals()
os.kill(os.getpid(), signal.SIGINT)
show = "import signal; print([signal.getsignal(n) is not signal.SIG_IGN for n in (1, 2, 15)])"
subprocess.run([sys.executable, "-c", show], check=True)
"""

# It reports the processes and the folders that must be gone after pytest's death: two servers, and two programs.
ENDLESS_TEST = f"""
import json, os, subprocess, sys, time
from pathlib import Path
import psycopg
from resources.embedded_postgres import EmbeddedPostgres
from tests.processes import running

def test_endless(server, tmp_path):
    own = EmbeddedPostgres(tmp_path)
    own.start()
    data = []
    for dsn in (server.dsn("postgres"), own.dsn()):
        with psycopg.connect(dsn) as connection:
            data += connection.execute("SHOW data_directory").fetchone()
    pids = [int(Path(folder, "postmaster.pid").read_text().split()[0]) for folder in data]
    program = [sys.executable, "-c", {STUBBORN!r}]
    scrubbed = {{"WXYC_HOME": str(tmp_path)}}
    with running(program) as marked, subprocess.Popen(program, env=scrubbed, start_new_session=True) as at_home:
        pids += [os.getpid(), marked.pid, at_home.pid]
        partial = Path(os.environ["REPORT"] + ".partial")
        partial.write_text(json.dumps({{"pytest": os.getpid(), "pids": pids, "data": data}}))
        partial.rename(os.environ["REPORT"])
        time.sleep(600)
"""


def alive(pids):
    return sorted(set(pids) & {process.pid for process in process_table.living()})


def wait_until_gone(pids, folders):
    deadline = time.monotonic() + TIMEOUT_S
    while left := [*alive(pids), *filter(os.path.exists, folders)]:
        assert time.monotonic() < deadline, f"left behind: {left}"
        time.sleep(0.05)


def test_a_block_that_fails_ends_processes_in_any_session():
    with (
        suppress(ZeroDivisionError),
        running([sys.executable, "-c", PARENT_OF_A_DETACHED_CHILD], stdout=subprocess.PIPE) as parent,
    ):
        assert parent.stdout is not None
        detached = int(parent.stdout.readline())
        assert alive([parent.pid, detached]) == sorted([parent.pid, detached])
        raise ZeroDivisionError
    assert alive([parent.pid, detached]) == []


def test_children_of_a_background_job_have_default_signals():
    """A shell starts a background job of a script with SIGINT ignored; the job itself goes on ignoring it."""
    done = subprocess.run([sys.executable, "-c", BACKGROUND_JOB], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[True, True, True]\n"


@pytest.mark.parametrize("event", ["ctrl_c", "worker_killed", "pytest_terminated"])
def test_nothing_outlives_an_interrupted_run_of_pytest(tmp_path, event):
    inner, report = tmp_path / "test_endless.py", tmp_path / "report.json"
    inner.write_text(ENDLESS_TEST)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml")]
    workers = ["-n", "0"] if event == "pytest_terminated" else ["-n", "1", "--max-worker-restart", "0"]
    environ = {**os.environ, "REPORT": str(report)}
    options = {"cwd": ROOT, "env": environ, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with running([*command, *workers, f"--basetemp={tmp_path / 'base'}", str(inner)], **options) as run:
        deadline = time.monotonic() + TIMEOUT_S
        while not report.exists():
            assert run.poll() is None, run.communicate()[0]
            assert time.monotonic() < deadline, "the inner test did not begin"
            time.sleep(0.05)
        begun = json.loads(report.read_text())
        assert alive(begun["pids"]) == sorted(set(begun["pids"]))
        if event == "ctrl_c":
            os.killpg(run.pid, signal.SIGINT)
        elif event == "worker_killed":
            os.kill(begun["pytest"], signal.SIGKILL)
        else:
            run.terminate()
        output, _ = run.communicate(timeout=TIMEOUT_S)
        assert run.returncode != 0, output
        wait_until_gone(begun["pids"], begun["data"])
