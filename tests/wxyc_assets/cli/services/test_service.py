"""A service: how it starts, what it inherits, how its whole group ends."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.waiting import wait_for
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import process_group, service
from wxyc_assets.cli.services.service import TICK_SETTLE, Service

PROGRAM = """
import json, os, signal, subprocess, sys, time
from wxyc_assets.cli.services import lifeline
lifeline.GRACE_S = float(sys.argv[1])
lifeline.follow_stdin()
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(15, signal.SIG_IGN); signal.pause()"])
names = ("DAGSTER_AUTOMATION_TICK_SETTLE_SECONDS", "PYTHONWARNINGS", "PYTHONSAFEPATH", "PYTHONPATH")
print(json.dumps([os.getsid(0) == os.getpid(), *(os.environ.get(name) for name in names)]), flush=True)
signal.signal(signal.SIGTERM, lambda *_: None)
time.sleep(600)
"""


@pytest.fixture
def reporter(tmp_path):
    """A service that reports what it inherited; neither it nor its child heeds SIGTERM."""
    service = Service("reporter", [], tmp_path / "reporter.log")
    service._command = [sys.executable, "-P", "-c", PROGRAM, "0.2"]
    yield service
    if service._process:
        process_group.kill(service._process.pid)
        service.finish()


def pid_of(service):
    """Wait until the service has reported, and return its process id."""
    wait_for(lambda: service.log.read_text().endswith("\n"), "report")
    return service._process.pid


def test_service_has_a_session_and_a_safe_import_path(reporter, monkeypatch):
    """In a session of its own a Ctrl-C reaches it through `up` only; an empty entry of PYTHONPATH is the working folder."""
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}/somewhere")
    reporter.start()
    pid_of(reporter)
    assert json.loads(reporter.log.read_text()) == [True, "1", "ignore", "1", "/somewhere"]
    assert TICK_SETTLE == {"DAGSTER_AUTOMATION_TICK_SETTLE_SECONDS": "1"}


def test_service_and_its_children_end_with_its_stdin(reporter):
    reporter.start()
    group = pid_of(reporter)
    assert len(process_group.members(group)) == 2
    reporter.finish()
    assert process_group.members(group) == []


def test_children_of_a_killed_service_end_before_its_next_start(reporter):
    reporter.start()
    group = pid_of(reporter)
    os.kill(group, signal.SIGKILL)
    wait_for(reporter.ended, "end of the service")
    assert reporter.ended() == "was ended by SIGKILL"
    assert "was ended by SIGKILL: started again (1 of 3)" in reporter.restart("was ended by SIGKILL")
    assert process_group.members(group) == []
    assert reporter.ended() is None


def test_service_that_keeps_ending_is_an_error(tmp_path):
    service = Service("broken", [], tmp_path / "log")
    service._command = [sys.executable, "-c", "raise SystemExit(7)"]
    service.start()
    for _ in range(3):
        service.restart(str(wait_for(service.ended, "end of the service")))
    how = str(wait_for(service.ended, "end of the service"))
    with pytest.raises(CannotError, match=r"the Dagster broken ended with code 7, for the 4th time .*: see .*/log"):
        service.restart(how)
    service.finish()


def test_service_that_ignores_its_lifeline_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(service, "STOP_TIMEOUT_S", 0.2)
    stubborn = Service("stubborn", [], tmp_path / "log")
    stubborn._command = ["sleep", "600"]
    stubborn.start()
    stubborn.finish()
    assert stubborn.ended() == "was ended by SIGKILL"


def test_group_without_processes_is_empty():
    ended = subprocess.Popen(["true"], start_new_session=True)
    ended.wait(60)
    assert process_group.members(ended.pid) == []
    assert process_group.wait_until_empty(ended.pid, 0)
    assert [pid for pid, _, _ in process_group._listed() if pid == os.getpid()] == [os.getpid()]
