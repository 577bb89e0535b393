"""An LML over HTTP whose answers a test chooses; it shares no code with the client or with the sandbox."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Say = Callable[[Any], Any]
"""Returns the answer to a request: a value, bytes that are the whole body, or (status, headers)."""

HANG_S = 600.0  # longer than any test
STATS = {"memory_hits": 1, "pg_hits": 2, "pg_misses": 3, "api_calls": 0, "pg_time_ms": 0.5, "api_time_ms": 1.5}


class ArbitraryLml:
    """Serves one endpoint and ``/health``. ``asked`` has the input of each call, ``bodies`` and ``headers`` the whole call.

    ``health`` is the answer of ``/health``, in the same forms as that of ``say``; ``health_asked`` counts those calls.
    """

    def __init__(self, say: Say) -> None:
        self.say = say
        self.asked: list[Any] = []
        self.bodies: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.health: Any = {"status": "healthy", "commit_sha": None}
        self.health_asked = 0
        self.released = threading.Event()
        self.url = ""

    def hang(self, _asked: Any) -> Any:
        """Give no answer before the end of the test."""
        self.released.wait(HANG_S)
        return []


@contextmanager
def serving(
    say: Say, *, path: str, key: str | None = None, envelope: Callable[[Any], Any] = lambda said: said
) -> Iterator[ArbitraryLml]:
    """Serve on a free port of 127.0.0.1.

    The input of a call is the ``key`` of the body that ``path`` receives, or the whole body if ``key`` is None.
    ``envelope`` makes the body of an answer from what ``say`` returns.
    """
    lml = ArbitraryLml(say)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == path
            asked = body if key is None else body[key]
            lml.headers.append(dict(self.headers.items()))
            lml.bodies.append(body)
            lml.asked.append(asked)
            self._send(*_answer(lml.say(asked), envelope))

        def do_GET(self) -> None:
            assert self.path == "/health"
            lml.health_asked += 1
            self._send(*_answer(lml.health, lambda said: said))

        def _send(self, status: int, headers: dict[str, str], payload: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(payload))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Ignore a client that has closed its connection."""

    with Server(("127.0.0.1", 0), Handler) as server:
        lml.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield lml
        finally:
            lml.released.set()
            server.shutdown()
            thread.join()


def _answer(said: Any, envelope: Callable[[Any], Any]) -> tuple[int, dict[str, str], bytes]:
    if isinstance(said, tuple):
        status, headers = said
        return status, headers, b"{}"
    return 200, {}, said if isinstance(said, bytes) else json.dumps(envelope(said)).encode()
