"""A transport and an HTTP server that keep the bytes of every Sentry envelope, and a reader of the envelope format."""

import gzip
import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from resources.sentry import SentryConfig
from tests.waiting import wait_for

KEY = "lml-k3y-0123456789"
CONFIG = SentryConfig(dsn="http://public@sentry.invalid/42", environment="test", release="1.2.3", secrets=(KEY,))
AMPLE_S = 240.0
"""Time for anything that is expected to happen, however busy the machine is."""

E = TypeVar("E", bound=BaseException)


class Collector(Transport):
    """Keeps the bytes of every envelope that would have been sent."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.bodies.append(envelope.serialize())

    def items(self, kind: str) -> list[Any]:
        return [payload for body in list(self.bodies) for header, payload in parsed(body) if header["type"] == kind]

    def spans(self, *names: str) -> dict[str, Any]:
        """Return the spans by name, once these have arrived: a thread of the SDK brings them."""
        wait_for(lambda: set(names) <= self._spans().keys(), f"spans {names}", AMPLE_S)
        return self._spans()

    def events(self) -> list[Any]:
        return self.items("event")

    def _spans(self) -> dict[str, Any]:
        return {span["name"]: span for batch in self.items("span") for span in batch["items"]}


def parsed(body: bytes) -> Iterator[tuple[dict[str, Any], Any]]:
    """Read the items of an envelope by its published format, not by the SDK that wrote it."""
    _, _, rest = body.partition(b"\n")
    while rest.strip():
        line, _, rest = rest.partition(b"\n")
        header = json.loads(line)
        payload, rest = rest[: header["length"]], rest[header["length"] + 1 :]
        yield header, json.loads(payload)


class Ingest(http.server.ThreadingHTTPServer):
    """A loopback HTTP server in Sentry's place; ``requests`` holds (path, auth, decoded body)."""

    requests: list[tuple[str, str, bytes]]

    @property
    def dsn(self) -> str:
        return f"http://public@127.0.0.1:{self.server_port}/42"

    def items(self) -> list[tuple[dict[str, Any], Any]]:
        return [item for _, _, body in list(self.requests) for item in parsed(body)]

    def payloads(self, kind: str, count: int) -> list[Any]:
        """Return the payloads of one kind, once so many have arrived."""
        return wait_for(
            lambda: found if len(found := [p for header, p in self.items() if header["type"] == kind]) >= count else [],
            f"{count} items of kind {kind}",
            AMPLE_S,
        )


@contextmanager
def serve_ingest() -> Iterator[Ingest]:
    """Yield a server that answers every request with 200."""
    requests: list[tuple[str, str, bytes]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers["Content-Encoding"] == "gzip":
                body = gzip.decompress(body)
            elif self.headers["Content-Encoding"] == "br":
                body = pytest.importorskip("brotli").decompress(body)
            requests.append((self.path, self.headers["X-Sentry-Auth"], body))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with Ingest(("127.0.0.1", 0), Handler) as server:
        server.requests = requests
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def attributes(span: dict[str, Any]) -> dict[str, tuple[Any, str]]:
    """The attributes of a span: value and type by name."""
    return {name: (value["value"], value["type"]) for name, value in span["attributes"].items()}


def raised(error: E) -> E:
    """Return the error with the traceback of a raise."""
    try:
        raise error
    except type(error) as caught:
        return caught
