"""An LML that shares no code with ours or with the sandbox: it says over HTTP whatever a test wants it to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Input = dict[str, Any]
Say = Callable[[list[Input]], Any]
"""From inputs to results, or to bytes that stand for the whole body, or to (status, headers)."""


class IndependentLml:
    """Serves one endpoint; ``asked`` holds the inputs of every call, ``bodies`` the calls as they came."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.asked: list[list[Input]] = []
        self.bodies: list[dict[str, Any]] = []
        self.released = threading.Event()
        self.url = ""

    @property
    def ids(self) -> list[int]:
        """Every library id that was asked about, in order of asking."""
        return [one["library_id"] for call in self.asked for one in call]

    def hang(self, _inputs: list[Input]) -> Any:
        """Say nothing until the test is over."""
        self.released.wait(60)
        return []


@contextmanager
def serving(say: Say) -> Iterator[IndependentLml]:
    """Serve on a free port of 127.0.0.1."""
    lml = IndependentLml(say)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/api/v1/identity/bulk-resolve-libraries"
            lml.bodies.append(body)
            lml.asked.append(body["inputs"])
            said = lml.say(body["inputs"])
            status, headers = said if isinstance(said, tuple) else (200, {})
            payload = said if isinstance(said, bytes) else b"{}" if isinstance(said, tuple) else _envelope(said)
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
            """A client that went away is no defect."""

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


def _envelope(results: Any) -> bytes:
    stats = {"memory_hits": 1, "pg_hits": 2, "pg_misses": 3, "api_calls": 0, "pg_time_ms": 0.5, "api_time_ms": 1.5}
    return json.dumps({"results": results, "cache_stats": stats, "tracks_contract_version": None}).encode()


def single(library_id: int, **overrides: Any) -> dict[str, Any]:
    """A single_artist answer as the contract has it; ids follow from the library."""
    main = {
        "discogs_artist_id": 1000 + library_id,
        "musicbrainz_artist_id": f"mb-{library_id}",
        "wikidata_qid": f"Q{library_id}",
        "spotify_artist_id": f"spotify-{library_id}",
        "apple_music_artist_id": None,
        "bandcamp_id": "band",
    }
    return {
        "kind": "single_artist",
        "library_id": library_id,
        "main": main,
        "method": "name_variation",
        "confidence": 0.93,
        "provenance": [
            {"source": "discogs", "method": "exact_match", "confidence": 1, "external_id": str(1000 + library_id)},
            {"source": "wikidata", "method": "alias_match", "confidence": 0.8, "external_id": f"Q{library_id}"},
            {"source": "spotify", "method": "trigram", "confidence": None, "external_id": None},
        ],
        **overrides,
    }


def unresolved(library_id: int) -> dict[str, Any]:
    """An unresolved answer as the contract has it."""
    return {
        "kind": "unresolved",
        "library_id": library_id,
        "main": None,
        "method": None,
        "confidence": None,
        "provenance": [],
    }


def compilation(library_id: int) -> dict[str, Any]:
    """A compilation answer as the contract's example has it: without the keys of an artist."""
    return {"kind": "compilation", "library_id": library_id, "main": None, "provenance": []}


def all_single(inputs: list[Input]) -> list[dict[str, Any]]:
    """Resolve every input."""
    return [single(one["library_id"]) for one in inputs]
