"""A Sentry on loopback: accepts envelopes over HTTP, refuses them on request, and can be down."""

import gzip
import json
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sentry_sdk.envelope import Envelope

DECODERS: dict[str, Callable[[bytes], bytes]] = {"": bytes, "gzip": gzip.decompress}
"""How to decompress a body, by its content encoding."""


class SentryServer:
    """What was sent to it.

    ``answers``: status codes of the next answers to alerts, with headers; after those it accepts everything. ``tries`` counts
    the envelopes with an alert. ``events`` are the events of the accepted envelopes, without the spans of runs.
    ``check_ins`` are their check-ins.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: deque[tuple[int, dict[str, str]]] = deque()
        self.events: list[dict[str, Any]] = []
        self.check_ins: list[dict[str, Any]] = []
        self.tries = 0
        self.delay_s = 0.0
        self._lock = threading.Lock()

    @property
    def dsn(self) -> str:
        return f"http://a-public-key@127.0.0.1:{self.port}/42"

    def refuse(self, *codes: int, **headers: str) -> None:
        """Answer the next envelopes with these codes, and store none of their events."""
        self.answers += [(code, {name.replace("_", "-"): value for name, value in headers.items()}) for code in codes]

    def events_tagged(self, **tags: str) -> list[dict[str, Any]]:
        """The accepted events with these tags, in order."""
        return [one for one in self.events if tags.items() <= one.get("tags", {}).items()]

    def accept(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        if path != "/api/42/envelope/" or "sentry_key=a-public-key" not in headers.get("X-Sentry-Auth", ""):
            return 403, {}
        time.sleep(self.delay_s)
        items = Envelope.deserialize(DECODERS[headers.get("Content-Encoding", "")](body)).items
        events = [item.payload.json or {} for item in items if item.type == "event"]
        with self._lock:
            if any("alert" in event.get("tags", {}) for event in events):
                self.tries += 1
                if self.answers:
                    return self.answers.popleft()
            self.events += events
            self.check_ins += [json.loads(item.get_bytes()) for item in items if item.type == "check_in"]
        return 200, {}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def sentry_server(port: int | None = None) -> Iterator[SentryServer]:
    """Serve a Sentry within the block; before and after it nothing listens on the port."""
    server = SentryServer(port or free_port())

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            code, headers = server.accept(self.path, dict(self.headers), body)
            self.send_response(code)
            for name, value in {**headers, "Content-Length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", server.port), Handler)
    thread = threading.Thread(target=lambda: http.serve_forever(poll_interval=0.05))
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
