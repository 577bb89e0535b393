"""Leases of a server: the last one to end stops what a lease started."""

import os
import signal
import subprocess
import sys

import pytest

from resources.embedded_postgres import EmbeddedPostgres
from tests.processes import running
from tests.waiting import wait_for

HOLDER = """
import sys
from pathlib import Path
from resources.embedded_postgres import EmbeddedPostgres
with EmbeddedPostgres(Path(sys.argv[1])).leased() as lease:
    print("leased", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def home(used, folder):
    """A home whose server has run before."""
    return folder / "home"


def holder(home):
    """Return a process that holds a lease until its stdin ends."""
    command = [sys.executable, "-P", "-c", HOLDER, str(home)]
    return running(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_last_lease_stops_what_a_lease_started(home):
    server = EmbeddedPostgres(home)
    with server.leased():
        with server.leased():
            assert server.in_use()
        assert server.running()
        assert server.in_use()
    assert not server.running()
    assert not server.in_use()


def test_first_lease_may_end_before_the_second(home):
    server = EmbeddedPostgres(home)
    with holder(home) as first:
        assert first.stdout.readline()
        with server.leased():
            first.communicate("", timeout=60)
            assert first.returncode == 0
            assert server.running()
    assert not server.running()


def test_lease_leaves_a_server_that_ran_before(home):
    server = EmbeddedPostgres(home)
    server.start()
    with server.leased():
        pass
    assert server.running()
    server.stop()


def test_lease_of_a_killed_process_ends(home):
    """Its keeper stops the server; with another lease it does not."""
    server = EmbeddedPostgres(home)
    with holder(home) as killed:
        assert killed.stdout.readline()
        killed.kill()
        wait_for(lambda: not server.running(), "end of the server")
    with holder(home) as killed:
        assert killed.stdout.readline()
        with server.leased():
            killed.kill()
            killed.wait(60)
            assert server.running()
    wait_for(lambda: not server.running(), "end of the server, by the keeper that ended last")


def test_child_that_inherited_the_lease_is_waited_for(home):
    server = EmbeddedPostgres(home)
    with server.leased() as lease:
        child = subprocess.Popen(["sleep", "100"], pass_fds=[lease.descriptor])
    assert server.running(), "the child uses the server"
    child.kill()
    child.wait(60)
    with server.leased():
        pass
    assert not server.running()


def test_keeper_that_was_killed_is_replaced(home):
    server = EmbeddedPostgres(home)
    with server.leased() as lease:
        killed = lease._keeper
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait(60)
        lease.keep()
        assert lease._keeper.pid != killed.pid
    assert not server.running()
