"""A programmable LML on loopback: it plays the given answers, one per request, and records the requests."""

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from resources.lml.models import LibraryInput

KEY = "sk-7f3a9c-never-to-be-seen"

Play = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Seen:
    """One recorded request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Loopback:
    """The server: each request uses up one of ``plays``; then ``always`` answers."""

    always: Play
    plays: list[Play] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        with self.lock:
            headers = {name.lower(): value for name, value in handler.headers.items()}
            self.seen.append(Seen(handler.command, handler.path, headers, body))
            play = self.plays.pop(0) if self.plays else self.always
        try:
            play(handler)
        except OSError:
            handler.close_connection = True  # the client hung up, as some tests intend


def reply(status: int, body: bytes, **headers: str) -> Play:
    """Answer with these bytes; header names are written with underscores."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return play


def answer(payload: object, status: int = 200, **headers: str) -> Play:
    """Answer with JSON."""
    return reply(status, json.dumps(payload).encode(), Content_Type="application/json", **headers)


def zipped(body: bytes) -> Play:
    return reply(200, gzip.compress(body), Content_Encoding="gzip")


def after(seconds: float, then: Play) -> Play:
    """Answer late."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        then(handler)

    return play


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True
    handler.connection.close()


def cut_short(handler: BaseHTTPRequestHandler) -> None:
    """Announce a long body and close the connection in the middle of it."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b'{"results":')
    handler.close_connection = True


def drip(head: bytes, interval_s: float = 0.05) -> Play:
    """Send ``head`` at once, and then 400 times a single space."""

    def play(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.wfile.write(head)
        for _ in range(400):
            time.sleep(interval_s)
            handler.wfile.write(b" ")

    return play


@contextmanager
def serving() -> Iterator[Loopback]:
    """Serve a loopback LML, which answers with empty results unless a test sets ``plays`` or ``always``."""
    loopback = Loopback(always=answer({"results": []}))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            loopback.handle(self)

        do_GET = do_POST  # noqa: N815 - http.server's name

        def log_message(self, *args: object) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request, client_address):
            """A client that hung up is no error here."""

    server = Server(("127.0.0.1", 0), Handler)
    loopback.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def libraries(count: int = 1) -> list[LibraryInput]:
    return [
        LibraryInput(library_id=i + 1, artist_name="Superchunk", album_title="Foolish", legacy_release_id=None)
        for i in range(count)
    ]


def stats(api_calls: int) -> dict[str, Any]:
    return {
        "memory_hits": 1,
        "pg_hits": 2,
        "pg_misses": 3,
        "api_calls": api_calls,
        "pg_time_ms": 1.5,
        "api_time_ms": 2.5,
    }
