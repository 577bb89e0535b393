"""``wxyc up``: the Dagster UI, the daemon and what they need, until Ctrl-C."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from resources.embedded_postgres import EmbeddedPostgres
from tests.processes import running
from tests.waiting import wait_for


def test_up_serves_the_graph_and_ctrl_c_stops_everything(environ, home, free_port):
    port, lml_port = free_port(), free_port()
    program = [sys.executable, "-m", "wxyc_assets", "up", "--port", str(port), "--lml-port", str(lml_port)]
    with running(program, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        at = json.loads(process.stdout.readline())
        assert at["ui"] == f"http://127.0.0.1:{port}"
        assets = httpx.post(
            f"{at['ui']}/graphql", json={"query": "{ assetNodes { assetKey { path } } }"}, trust_env=False, timeout=60
        ).json()
        assert ["library_identity"] in [node["assetKey"]["path"] for node in assets["data"]["assetNodes"]]
        health = httpx.get(f"{at['LIBRARY_METADATA_URL']}/health", trust_env=False)
        assert health.status_code == 200
        children = _children(process.pid)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr
        assert children
        assert not any(Path(f"/proc/{child}").exists() for child in children)
        wait_for(lambda: not EmbeddedPostgres(home).running(), "end of the server")  # it ends with its last lease
    with pytest.raises(httpx.ConnectError):
        httpx.get(at["ui"], trust_env=False)


def _children(pid):
    out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout
    return [int(child) for child in out.split()]


def test_port_in_use_is_an_error_that_names_the_option(wxyc, free_port):
    port = free_port(keep=True)
    for option, other in (("--port", "--lml-port"), ("--lml-port", "--port")):
        finished = wxyc("up", option, str(port), other, "0")
        assert finished.exit_code == 1
        assert finished.printed["error"].startswith(f"port {port} cannot be used")
        assert f"with {option}," in finished.printed["error"]
        assert len(finished.stderr.splitlines()) <= 2


@pytest.mark.parametrize("option", ["--port", "--lml-port"])
@pytest.mark.parametrize("number", ["-1", "65536", "99999999999"])
def test_port_out_of_range_is_an_error_in_one_line(wxyc, option, number):
    finished = wxyc("up", option, number)
    assert finished.exit_code == 1
    assert (
        finished.printed["error"] == f"{option} {number} is no port: choose one from 1 to 65535, or 0 for any free one"
    )


def test_home_that_cannot_be_written_is_one_line(wxyc, tmp_path):
    (tmp_path / "file").write_text("")
    finished = wxyc("up", WXYC_HOME=str(tmp_path / "file" / "home"))
    assert finished.exit_code == 1
    assert "cannot be written" in finished.printed["error"]
    assert "set WXYC_HOME to another folder" in finished.printed["error"]
    assert len(finished.stderr.splitlines()) == 2
