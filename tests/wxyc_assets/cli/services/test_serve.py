"""The life and the end of a ``wxyc up``: real processes, real signals."""

import json
import os
import pty
import signal
import subprocess
import sys

import httpx
import pytest

from resources.embedded_postgres import EmbeddedPostgres
from resources.postgres import Postgres
from tests.processes import running, temporary_home
from tests.system import SYSTEM
from tests.waiting import wait_for
from tests.wxyc_assets.cli.services.conftest import TIMEOUT_S, started, wait_until_nothing_is_left
from wxyc_assets.cli.services import one_up
from wxyc_assets.sandbox.station import create

SHADOWS = (
    "gql",
    "resources",
    "sensors",
    "click",
    "dagster",
    "psycopg",
    "uvicorn",
    "graphql",
    "queue",
    "random",
    "json",
)
pytestmark = pytest.mark.timeout(900)


def test_up_after_a_kill_just_works(up_home, free_port):
    """kill -9 leaves nothing behind; the next one waits for what is still ending, on the same port."""
    port = str(free_port())
    with started(up_home, ["--port", port]) as first:
        first.wait_until_up()
        first.process.kill()
        first.process.wait(TIMEOUT_S)
        with started(up_home, ["--port", port]) as second:
            second.wait_until_up()
            assert second.at["ui"] == f"http://127.0.0.1:{port}"
            second.end(signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("moment", ["at once", "starting the Dagster UI"])
def test_signal_during_start_up_leaves_nothing(up_home, number, moment):
    with started(up_home) as up:
        if moment == "at once":
            wait_for(lambda: (up_home / one_up.LOCK).exists() and up.pids("keeper"), "keeper", TIMEOUT_S)
        else:
            up.wait_for_words(moment)
        up.end(number)
        if number is not signal.SIGKILL:
            assert up.process.returncode == 1
            assert "stopped before" in up.error()


def test_further_signals_do_not_interrupt_the_end(up_home):
    """Ctrl-C pressed again because nothing seems to happen."""
    with started(up_home) as up:
        up.wait_until_up()
        while up.pids("services.entry"):
            up.process.send_signal(signal.SIGINT)
        assert up.process.wait(TIMEOUT_S) == 0, up.log.read_text()
        wait_until_nothing_is_left(up_home)


def test_closed_terminal_ends_everything(up_home):
    """The hangup reaches `up` and nothing that it started; what it says about it goes nowhere."""
    terminal, its_end = pty.openpty()
    program = f"import fcntl, os, termios; fcntl.ioctl(2, termios.TIOCSCTTY, 0); os.execv({sys.executable!r}, "
    program += f"[{sys.executable!r}, '-P', '-m', 'wxyc_assets', 'up', '--port', '0', '--lml-port', '0'])"
    environ = {**SYSTEM, "WXYC_HOME": str(up_home), "HOME": str(up_home)}
    command = [sys.executable, "-c", program]
    with running(command, env=environ, stdin=its_end, stdout=subprocess.PIPE, stderr=its_end) as process:
        os.close(its_end)
        assert process.stdout
        assert json.loads(process.stdout.readline())["ui"]
        os.close(terminal)
        assert process.wait(TIMEOUT_S) == 0
        wait_until_nothing_is_left(up_home)


@pytest.fixture(scope="module")
def up(up_home, tmp_path_factory):
    """A `wxyc up` that was started in a folder full of modules whose names are ours or of our libraries."""
    folder = tmp_path_factory.mktemp("shadows")
    for name in SHADOWS:
        (folder / f"{name}.py").write_text("raise RuntimeError('the working folder is on the import path')\n")
    with started(up_home, cwd=folder) as up:
        up.wait_until_up()
        yield up
        up.end(signal.SIGTERM)
        assert up.process.returncode == 0, up.log.read_text()


def test_up_says_all_is_well_once_the_graph_is_loaded(up):
    """The real URL of port 0, and a graph that the working folder did not break."""
    query = {"query": "{ assetNodes { assetKey { path } } }"}
    assets = httpx.post(f"{up.at['ui']}/graphql", json=query, trust_env=False, timeout=60).json()
    assert ["library_identity"] in [node["assetKey"]["path"] for node in assets["data"]["assetNodes"]]


def test_second_up_of_a_home_names_the_first(up):
    with started(up.home) as second:
        assert second.process.wait(TIMEOUT_S) == 1
        assert f"process {up.process.pid}, its UI is at {up.at['ui']}" in second.error()


def test_down_refuses_beside_up(up):
    environ = {**SYSTEM, "WXYC_HOME": str(up.home), "HOME": str(up.home)}
    down = subprocess.run([sys.executable, "-m", "wxyc_assets", "down"], env=environ, capture_output=True, check=False)
    assert down.returncode == 1
    assert f"process {up.process.pid}, its UI is at {up.at['ui']}" in json.loads(down.stdout)["error"]
    assert EmbeddedPostgres(up.home).running()


def test_command_beside_up_stops_nothing(up):
    """What `wxyc demo` does around its runs."""
    with EmbeddedPostgres(up.home).leased():
        pass
    assert EmbeddedPostgres(up.home).running()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_postgres_that_goes_away_is_brought_back(up, number):
    """Killed, or stopped as by `pg_ctl stop`; then the UI and the daemon work with it again."""
    (pid,) = up.pids(f"-D {up.home}/")
    before = up.log.read_text().count("PostgreSQL answers again")
    os.kill(pid, number)
    wait_for(lambda: up.log.read_text().count("PostgreSQL answers again") > before, "PostgreSQL", TIMEOUT_S)
    query = {"query": "{ runsOrError { __typename } instance { daemonHealth { id } } }"}

    def recovered():
        answer = httpx.post(f"{up.at['ui']}/graphql", json=query, trust_env=False, timeout=60)
        return answer.is_success and answer.json()["data"]["runsOrError"]["__typename"] == "Runs"

    wait_for(recovered, "runs in the UI", TIMEOUT_S)


def test_configured_postgres_that_goes_away_is_reported():
    """A service that ends meanwhile is started again once the server is back, not three times in vain."""
    with temporary_home("wxyc-up-database-") as folder, temporary_home("wxyc-up-") as home:
        server = EmbeddedPostgres(folder)
        server.start()
        server.ensure_database("station")
        with Postgres(server.dsn("station")).connect() as connection:
            create(connection, sample=False)
        settings = {"DATABASE_URL": server.dsn("station"), "WXYC_HOME": str(home), "HOME": str(home)}
        with started(home, env={**SYSTEM, **settings}) as up:
            up.wait_until_up()
            server.stop()
            up.wait_for_words("the PostgreSQL of DATABASE_URL, station at ")
            up.wait_for_words("does not answer")
            (pid,) = up.pids("services.entry daemon")
            os.kill(pid, signal.SIGKILL)
            server.start()
            up.wait_for_words("answers again, after ")
            up.wait_for_words("the Dagster daemon works again")
            assert up.log.read_text().index("answers again") < up.log.read_text().index("started again")
            up.end(signal.SIGTERM)
            assert up.process.returncode == 0
        server.stop()


@pytest.mark.parametrize("name", ["webserver", "daemon"])
def test_service_that_dies_is_started_again(up, name):
    (pid,) = up.pids(f"services.entry {name}")
    os.kill(pid, signal.SIGKILL)
    up.wait_for_words(f"the Dagster {name} was ended by SIGKILL: started again (1 of 3)")
    up.wait_for_words(f"the Dagster {name} works again")
    (again,) = up.pids(f"services.entry {name}")
    assert again != pid
