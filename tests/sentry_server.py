"""A Sentry on loopback: takes envelopes over HTTP, refuses them when it is told to, and can be down."""

import gzip
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sentry_sdk.envelope import Envelope

UNPACKED = {"": bytes, "gzip": gzip.decompress}
"""How a body is read, by how it was packed."""


class SentryServer:
    """What was sent to it. ``answers``: status codes of the next answers to alerts, with headers; then it takes everything.

    ``tries`` counts envelopes with an alert; ``events`` are those of all that it took, the spans of runs left out.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: deque[tuple[int, dict[str, str]]] = deque()
        self.events: list[dict[str, Any]] = []
        self.tries = 0
        self.delay_s = 0.0
        self._lock = threading.Lock()

    @property
    def dsn(self) -> str:
        return f"http://a-public-key@127.0.0.1:{self.port}/42"

    def refuse(self, *codes: int, **headers: str) -> None:
        """Answer the next envelopes with these codes, and keep nothing of them."""
        self.answers += [(code, {name.replace("_", "-"): value for name, value in headers.items()}) for code in codes]

    def told(self, **tags: str) -> list[dict[str, Any]]:
        """The events that it took, in order, with these tags."""
        return [one for one in self.events if tags.items() <= one.get("tags", {}).items()]

    def take(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        if path != "/api/42/envelope/" or "sentry_key=a-public-key" not in headers.get("X-Sentry-Auth", ""):
            return 403, {}
        time.sleep(self.delay_s)
        items = Envelope.deserialize(UNPACKED[headers.get("Content-Encoding", "")](body)).items
        events = [item.payload.json for item in items if item.type == "event"]
        with self._lock:
            if any("alert" in event.get("tags", {}) for event in events):
                self.tries += 1
                if self.answers:
                    return self.answers.popleft()
            self.events += events
        return 200, {}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def sentry_server(port: int | None = None) -> Iterator[SentryServer]:
    """Serve one; in front of and behind the block nothing listens on its port."""
    server = SentryServer(port or free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            code, headers = server.take(self.path, dict(self.headers), body)
            self.send_response(code)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", server.port), Handler)
    thread = threading.Thread(target=lambda: http.serve_forever(poll_interval=0.05))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
