"""An LML that shares no code with ours or with the sandbox: it says over HTTP whatever a test wants it to."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Item = dict[str, Any]
Say = Callable[[list[Item]], Any]
"""From items to results, or to bytes that stand for the whole body, or to (status, headers)."""


class ArbitraryLml:
    """Serves bulk lookups; ``asked`` holds the items of every call, ``headers`` what came along."""

    def __init__(self, say: Say) -> None:
        self.say = say
        self.asked: list[list[Item]] = []
        self.headers: list[dict[str, str]] = []
        self.released = threading.Event()
        self.url = ""

    @property
    def titles(self) -> list[str]:
        """Every title that was asked about, in order of asking."""
        return [item["album"] for call in self.asked for item in call]

    def hang(self, _items: list[Item]) -> Any:
        """Say nothing until the test is over."""
        self.released.wait(60)
        return []


@contextmanager
def serving(say: Say, *, api_calls: int | None = 0) -> Iterator[ArbitraryLml]:
    """Serve on a free port of 127.0.0.1; ``api_calls`` is what each answer says that it cost, None for nothing said."""
    lml = ArbitraryLml(say)
    stats = {
        "memory_hits": 1,
        "pg_hits": 2,
        "pg_misses": 3,
        "api_calls": api_calls,
        "pg_time_ms": 0.5,
        "api_time_ms": 1,
    }

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/api/v1/lookup/bulk"
            assert list(body) == ["items"]
            lml.headers.append(dict(self.headers.items()))
            lml.asked.append(body["items"])
            said = lml.say(body["items"])
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

    def _envelope(results: Any) -> bytes:
        return json.dumps({"results": results} | ({"cache_stats": stats} if api_calls is not None else {})).encode()

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


def number(item: Item) -> int:
    """The id of a generated album, which ends its title."""
    return int(item["album"].split()[-1])


def artwork(**overrides: Any) -> dict[str, Any]:
    """An artwork as the contract has it."""
    return {
        "release_id": 7,
        "release_url": "https://www.discogs.com/release/7",
        "artwork_url": "https://i.discogs.com/7.jpeg",
        "confidence": 0.9,
        "release_year": 1999,
        "artist_bio": "[a=Somebody] of [l=Sub Pop].",
        "wikipedia_url": "https://en.wikipedia.org/wiki/Somebody",
        "spotify_url": "https://open.spotify.com/album/7",
        "apple_music_url": "https://music.apple.com/us/album/7",
        "youtube_music_url": None,
        "bandcamp_url": "https://somebody.bandcamp.com/album/7",
        "soundcloud_url": None,
        "streaming_status": {},
        **overrides,
    }


def match(index: Any, **overrides: Any) -> dict[str, Any]:
    """A match whose artwork has these fields; ``index`` stands as it is given."""
    hit = {"library_item": {"id": 0, "call_number": "", "library_url": ""}, "artwork": artwork(**overrides)}
    return {"index": index, "status": "match", "lookup": {"results": [hit], "search_type": "direct"}}


def no_match(index: Any, **lookup: Any) -> dict[str, Any]:
    """An album that LML does not know; ``lookup`` says more about how it looked."""
    return {"index": index, "status": "no_match", "lookup": {"results": [], "search_type": "none", **lookup}}


def failed(index: Any, message: str | None = "discogs fell over") -> dict[str, Any]:
    """An album on which LML failed."""
    return {"index": index, "status": "error", "lookup": None, "message": message}


def all_match(items: list[Item]) -> list[dict[str, Any]]:
    """Match every item; the address of each release tells which album it was made for."""
    return [
        match(place, release_url=f"https://www.discogs.com/release/{number(item)}") for place, item in enumerate(items)
    ]


def mixed(items: list[Item]) -> list[dict[str, Any]]:
    """Of ten albums one is unknown, one fails, one has no artwork; the others match."""
    answers = all_match(items)
    for place, item in enumerate(items):
        kind = number(item) % 10
        if kind == 0:
            answers[place] = no_match(place)
        elif kind == 1:
            answers[place] = failed(place)
        elif kind == 2:
            answers[place]["lookup"]["results"][0]["artwork"] = None
    return answers
