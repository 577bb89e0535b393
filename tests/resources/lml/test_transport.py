"""One exchange: it ends by its deadline, it reads no more than its limit, it uses no other route."""

import gzip
import socket
import threading
import time
import tracemalloc
from contextlib import suppress

import httpx
import pytest

from resources.deadline_transport import DeadlineTransport
from resources.lml.errors import LmlTimeout, LmlUnreachable
from resources.lml.transport import Reply, exchange
from tests.resources.lml.loopback import Loopback, cut_short, drip, hang_up, reply, zipped

DEADLINE_S = 0.4
AMPLE_S = 60.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n"


def send(lml: Loopback, *, body: bytes = b"{}", max_bytes: int = 1000, timeout_s: float = AMPLE_S) -> Reply:
    with httpx.Client(transport=DeadlineTransport(), trust_env=False) as http:
        request = http.build_request("POST", f"{lml.url}/x", content=body, timeout=timeout_s)
        return exchange(http, request, auth=None, timeout_s=timeout_s, max_bytes=max_bytes)


@pytest.mark.parametrize(
    "play",
    [
        drip(b"", 10),  # nothing at all
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", 0.35),  # headers, byte by byte
        drip(HEAD + b"\r\n", 10),  # headers and then nothing
        drip(HEAD + b"\r\n"),  # a body, byte by byte
        drip(HEAD + b"\r\n" + b"x" * 100, 0.35),  # a body whose pauses are each shorter than the timeout
    ],
)
def test_an_exchange_ends_at_its_deadline(lml, play):
    """Every peer here goes on for 20 s or longer, and three of them never pause long enough for a read to time out."""
    lml.plays = [play]
    started = time.monotonic()
    with pytest.raises(LmlTimeout, match=r"within 0\.4 s"):
        send(lml, timeout_s=DEADLINE_S)
    assert DEADLINE_S - 0.05 <= time.monotonic() - started < 10 * DEADLINE_S


@pytest.mark.parametrize("sip_bytes", [0, 1_000_000])  # a peer that never reads, and one that reads a little at a time
def test_a_peer_that_is_slow_to_read_cannot_hold_an_exchange(lml, sip_bytes):
    """The exchange ends before its body is sent: no single write of it takes as long as the deadline."""
    body = b"x" * 40_000_000
    over = threading.Event()
    received = [0]

    def sip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection, suppress(ConnectionError):
            while not over.wait(0.05):
                received[0] += len(connection.recv(sip_bytes))

    with socket.create_server(("127.0.0.1", 0)) as server:
        lml.url = f"http://127.0.0.1:{server.getsockname()[1]}"
        peer = threading.Thread(target=sip, args=(server,))
        peer.start()
        try:
            with pytest.raises(LmlTimeout):
                send(lml, body=body, timeout_s=DEADLINE_S)
            assert received[0] < len(body)
        finally:
            over.set()
            with socket.create_connection(server.getsockname()):  # in case the exchange ended before it connected
                peer.join()


@pytest.mark.parametrize("play", [hang_up, cut_short])
def test_a_broken_connection_is_unreachable(lml, play):
    lml.plays = [play]
    with pytest.raises(LmlUnreachable, match="broke"):
        send(lml)


def test_a_refused_connection_names_the_setting():
    refusing = Loopback(always=hang_up, url="http://127.0.0.1:1")
    with pytest.raises(LmlUnreachable, match="LIBRARY_METADATA_URL"):
        send(refusing)


@pytest.mark.parametrize("size", [999, 1000])
def test_a_body_up_to_the_limit_is_read(lml, size):
    lml.plays = [reply(200, b"x" * size), zipped(b"x" * size)]
    assert send(lml).body == b"x" * size
    assert send(lml).body == b"x" * size


def test_a_body_over_the_limit_is_not_kept(lml):
    lml.plays = [reply(200, b"x" * 1001)]
    got = send(lml)
    assert got.body == b""
    assert "larger than 1000 bytes" in str(got.problem)


def test_a_decompression_bomb_is_not_inflated(lml):
    bomb = gzip.compress(b"\0" * 200_000_000)
    lml.plays = [reply(200, bomb, Content_Encoding="gzip")]
    tracemalloc.start()
    got = send(lml, max_bytes=100_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "larger than" in str(got.problem)
    assert peak < 5_000_000


@pytest.mark.parametrize(
    ("play", "problem"),
    [
        (reply(200, b"{}", Content_Encoding="gzip"), "damaged gzip"),
        (reply(200, b"{}", Content_Encoding="zstd"), "not asked for"),
    ],
)
def test_an_unreadable_encoding_is_a_problem_and_no_crash(lml, play, problem):
    lml.plays = [play]
    assert problem in str(send(lml).problem)


def test_no_redirect_is_followed(lml):
    lml.plays = [reply(307, b"", Location=f"{lml.url}/elsewhere")]
    assert send(lml).status == 307
    assert len(lml.seen) == 1


def test_no_proxy_of_the_environment_is_used(lml, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert send(lml).status == 200


def test_a_broken_exchange_does_not_spoil_the_next(lml):
    with httpx.Client(transport=DeadlineTransport(), trust_env=False) as http:

        def once(timeout_s: float = AMPLE_S) -> Reply:
            request = http.build_request("POST", f"{lml.url}/x", content=b"{}", timeout=timeout_s)
            return exchange(http, request, auth=None, timeout_s=timeout_s, max_bytes=1000)

        lml.plays = [reply(200, b"a"), drip(HEAD + b"\r\n"), reply(200, b"b")]
        assert once().body == b"a"
        with pytest.raises(LmlTimeout):
            once(DEADLINE_S)
        assert once().body == b"b"
