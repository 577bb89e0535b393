import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from wxyc_assets.sandbox.lml.discogs import DiscogsConfig
from wxyc_assets.sandbox.lml.faults import Fault
from wxyc_assets.sandbox.lml.server import SandboxLml

LOOKUP = "/api/v1/lookup"
BODY = {"raw_message": "Stereolab - Dots"}


def test_it_is_up_inside_the_with_and_gone_after_it():
    before = threading.active_count()
    with SandboxLml() as server:
        assert httpx.get(server.url + "/health").status_code == 200
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url + "/health")


def test_the_port_can_be_chosen_and_used_again_at_once():
    with SandboxLml() as server:
        port = int(server.url.rsplit(":", 1)[1])
    with SandboxLml(port=port) as again:
        assert again.url == f"http://127.0.0.1:{port}"
        httpx.get(again.url + "/health")


def test_a_port_that_is_taken_is_an_error_that_leaves_nothing_behind():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        SandboxLml(port=taken.getsockname()[1]).__enter__()


@pytest.mark.parametrize("kind", ["hang", "drip", "latency"])
def test_it_stops_at_once_though_a_request_is_held(kind):
    server = SandboxLml(api_key=None)
    with server, ThreadPoolExecutor() as pool:
        server.faults.arm(Fault(endpoint="*", kind=kind, latency_ms=60_000))
        held = pool.submit(httpx.post, server.url + LOOKUP, json=BODY, timeout=30)
        while not server.requests:
            time.sleep(0.01)
        time.sleep(0.1)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 3
        held.exception()


def test_it_stops_at_once_though_a_request_queues_for_discogs():
    config = DiscogsConfig(limit_calls=1, call_latency_ms=0, cold_items=None)
    with SandboxLml(api_key=None, discogs=config) as server, ThreadPoolExecutor() as pool:
        httpx.post(server.url + LOOKUP, json=BODY)
        held = pool.submit(httpx.post, server.url + LOOKUP, json={"raw_message": "another - one"}, timeout=30)
        while server.discogs.asked < 2:
            time.sleep(0.01)
        server.stop()
        assert held.result().status_code == 503


def test_many_requests_are_in_flight_at_once():
    with SandboxLml(api_key=None, latency_ms=300) as server, ThreadPoolExecutor(20) as pool:
        started = time.monotonic()
        answers = list(pool.map(lambda _: httpx.post(server.url + LOOKUP, json=BODY).status_code, range(20)))
        assert answers == [200] * 20
        assert server.traffic.in_flight_peak >= 10
        assert time.monotonic() - started < 20 * 0.3


SERVE = """
import sys
from wxyc_assets.sandbox.lml.server import serve
serve(0, on_ready=lambda url: print(url, file=sys.stderr, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serve_ends_cleanly_on_a_signal_and_prints_nothing(number):
    program = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", SERVE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with program:
        url = program.stderr.readline().strip()
        assert httpx.get(url + "/health").status_code == 200
        program.send_signal(number)
        stdout, stderr = program.communicate(timeout=20)
    assert (program.returncode, stdout, stderr) == (0, "", "")
