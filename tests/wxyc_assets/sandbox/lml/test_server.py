"""The sandbox LML as a server: start, stop, and signals."""

import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.processes import running
from tests.waiting import wait_for
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.faults import Fault
from wxyc_assets.sandbox.lml.server import SandboxLml

LOOKUP = "/api/v1/lookup"
BODY = {"raw_message": "Stereolab - Dots"}


def test_the_server_runs_inside_the_with_block_only():
    before = threading.active_count()
    with SandboxLml() as server:
        assert httpx.get(server.url + "/health").status_code == 200
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "/health")


def test_a_port_can_be_used_again_at_once():
    with SandboxLml() as server:
        port = int(server.url.rsplit(":", 1)[1])
    with SandboxLml(port=port) as again:
        assert again.url == f"http://127.0.0.1:{port}"
        httpx.get(again.url + "/health")


def test_a_taken_port_is_an_error():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        SandboxLml(port=taken.getsockname()[1]).__enter__()


@pytest.mark.parametrize(("kind", "status"), [("hang", 503), ("latency", 503), ("drip", 200)])
def test_stopping_ends_a_held_request(kind, status):
    """The server itself answers the request, long before its fault ends, and not the shutdown of uvicorn."""
    server = SandboxLml(api_key=None)
    with server, ThreadPoolExecutor() as pool:
        server.faults.arm(Fault(endpoint="*", kind=kind, latency_ms=600_000))
        held = pool.submit(httpx.post, server.url + LOOKUP, json=BODY, timeout=60)
        wait_for(lambda: server.faults.armed() == [], "request with the fault")
        if kind == "drip":  # its response has a status before its body ends
            wait_for(lambda: server.request_log.counts()["by_status"], "status of the dripping response")
        server.stop()
        assert held.result().status_code == status


def test_stopping_ends_a_request_that_waits_for_discogs():
    config = DiscogsConfig(limit_calls=1, call_latency_ms=0, cold_items=None)
    with SandboxLml(api_key=None, discogs=config) as server, ThreadPoolExecutor() as pool:
        httpx.post(server.url + LOOKUP, json=BODY)
        held = pool.submit(httpx.post, server.url + LOOKUP, json={"raw_message": "another - one"}, timeout=60)
        wait_for(lambda: server.discogs.asked == 2, "second call")
        server.stop()
        assert held.result().status_code == 503


def test_many_requests_are_in_flight_at_once():
    with SandboxLml(api_key=None) as server, ThreadPoolExecutor(20) as pool:
        server.faults.arm(Fault(endpoint="lookup", kind="hang", times=None))
        held = [pool.submit(httpx.post, server.url + LOOKUP, json=BODY, timeout=60) for _ in range(20)]
        wait_for(lambda: server.request_log.in_flight == 20, "20 requests in flight")
        server.stop()
        assert [one.result().status_code for one in held] == [503] * 20


SERVE = """
import sys
from wxyc_assets.sandbox.lml.server import serve
serve(0, on_ready=lambda url: print(url, file=sys.stderr, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_on_a_signal_and_prints_nothing(number):
    command = [sys.executable, "-W", "error", "-c", SERVE]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        url = program.stderr.readline().strip()
        assert httpx.get(url + "/health").status_code == 200
        program.send_signal(number)
        stdout, stderr = program.communicate(timeout=60)
    assert (program.returncode, stdout, stderr) == (0, "", "")
