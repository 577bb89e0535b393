"""Runs the sandbox LML as a server: in a background thread for tests and the demo, or blocking for the CLI."""

import asyncio
import queue
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from wxyc_assets.sandbox.lml.app import AppState, OnAnswer, Settings, build_app
from wxyc_assets.sandbox.lml.control import state
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig, SimulatedDiscogs
from wxyc_assets.sandbox.lml.faults import FaultRegistry
from wxyc_assets.sandbox.lml.request_log import RecordedRequest, RequestLog
from wxyc_assets.sandbox.lml.service import LmlService

DEFAULT_API_KEY: Final = "sandbox-key"
_HOST: Final = "127.0.0.1"
_START_TIMEOUT_S: Final = 20.0
_STOP_TIMEOUT_S: Final = 20.0
_GRACE_S: Final = 5  # for answers that the server still writes when it stops


class SandboxLml:
    """A sandbox LML on 127.0.0.1 that runs inside a ``with`` block; ``port`` 0 picks a free port.

    With ``api_key`` None it needs no key. With ``tracks`` it sends the tracks of compilations, as today's LML does not. Every
    operation except health takes ``latency_ms`` longer. ``record_bodies`` stores the bodies of ``requests`` too. ``on_answer``
    receives each answer before it is sent, on the server's thread. Raises OSError if the port is taken. Each instance runs once
    and has its own Discogs limit, cache, counts and faults.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        api_key: str | None = DEFAULT_API_KEY,
        discogs: DiscogsConfig | SimulatedDiscogs | None = None,
        latency_ms: float = 0,
        commit_sha: str | None = None,
        record_bodies: bool = False,
        tracks: bool = False,
        on_answer: OnAnswer | None = None,
    ) -> None:
        self.faults = FaultRegistry()
        self.discogs = (
            discogs if isinstance(discogs, SimulatedDiscogs) else SimulatedDiscogs(discogs or DiscogsConfig())
        )
        self.request_log = RequestLog(record_bodies=record_bodies)
        self._stopping = asyncio.Event()
        service = LmlService(self.discogs, commit_sha, tracks)
        settings = Settings(api_key, latency_ms)
        app = build_app(AppState(service, self.faults, self.request_log, settings, self._stopping, on_answer))
        app.router.lifespan_context = self._lifespan
        self._port = port
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop  # set when the server has started
        self._socket: socket.socket  # listens from __enter__ on
        self._thread = threading.Thread(target=self._run, name="sandbox-lml", daemon=True)
        self._server = uvicorn.Server(_config(app))

    @property
    def url(self) -> str:
        """Base URL, "http://127.0.0.1:PORT"; with port 0 the port is known once the server has started."""
        return f"http://{_HOST}:{self._port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last 1000 requests to LML's operations, oldest first, without credentials."""
        return self.request_log.requests()

    def state(self) -> dict[str, Any]:
        """Return the answer of GET /sandbox/state."""
        return state(self.discogs, self.request_log, self.faults)

    def __enter__(self) -> Self:
        self._socket = _listen(self._port)
        self._port = self._socket.getsockname()[1]
        self._thread.start()
        if not self._started.wait(_START_TIMEOUT_S):
            raise RuntimeError("the sandbox LML did not start")
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End all requests and the server. Does nothing if the server has stopped already."""
        if not self._thread.is_alive():
            return
        # uvicorn waits for its requests; this event first ends those that hang or wait for Discogs.
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._server.should_exit = True
        self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise RuntimeError("the sandbox LML did not stop")

    def _run(self) -> None:
        with self._socket:
            self._server.run([self._socket])

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        self._started.set()
        yield


def serve(
    port: int,
    *,
    api_key: str | None = DEFAULT_API_KEY,
    discogs: DiscogsConfig | None = None,
    latency_ms: float = 0,
    tracks: bool = False,
    on_ready: Callable[[str], object] | None = None,
) -> None:
    """Run a sandbox LML until SIGINT or SIGTERM, then return; call it from the main thread.

    Calls ``on_ready`` with the URL once the server answers. Prints nothing. Raises OSError if the port is taken.
    """
    # SimpleQueue is the only queue whose put() may run in a signal handler while the same thread waits in get().
    stop: queue.SimpleQueue[int] = queue.SimpleQueue()
    handlers = {
        number: signal.signal(number, lambda received, _: stop.put(received))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with SandboxLml(port=port, api_key=api_key, discogs=discogs, latency_ms=latency_ms, tracks=tracks) as server:
            if on_ready is not None:
                on_ready(server.url)
            stop.get()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _Protocol(H11Protocol):
    """HTTP/1.1 that gives each request its transport, so that a fault can close the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own signature
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def _config(app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        loop="asyncio",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="error",  # an error is a defect of the sandbox, and stderr shows it
        timeout_keep_alive=120,  # longer than clients keep idle connections, so that none closes while a client sends
        timeout_graceful_shutdown=_GRACE_S,
    )


def _listen(port: int) -> socket.socket:
    # With the protocol named, asyncio turns on TCP_NODELAY: without it, small answers come 40 ms late.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
