"""The sandbox LML as a running server: in a background thread for tests and the demo, or blocking for the CLI."""

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

from wxyc_assets.sandbox.lml.app import Sandbox, Settings, build_app
from wxyc_assets.sandbox.lml.control import state
from wxyc_assets.sandbox.lml.discogs import DiscogsConfig, SimulatedDiscogs
from wxyc_assets.sandbox.lml.faults import FaultBook
from wxyc_assets.sandbox.lml.service import Lml
from wxyc_assets.sandbox.lml.traffic import RecordedRequest, Traffic

DEFAULT_API_KEY: Final = "sandbox-key"
_HOST: Final = "127.0.0.1"
_START_TIMEOUT_S: Final = 20.0
_STOP_TIMEOUT_S: Final = 20.0
_GRACE_S: Final = 5  # for answers that are being written when the server stops


class SandboxLml:
    """A sandbox LML on 127.0.0.1, up between ``with`` and its end; ``port`` 0 takes a free one.

    ``api_key`` None asks for no key. ``latency_ms`` is added to every operation but health. ``record_bodies`` keeps the
    bodies of ``requests`` as well. Raises OSError when the port is taken. One instance is one run: its Discogs limit,
    cache, counts and faults start anew with the next instance.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        api_key: str | None = DEFAULT_API_KEY,
        discogs: DiscogsConfig | None = None,
        latency_ms: float = 0,
        commit_sha: str | None = None,
        record_bodies: bool = False,
    ) -> None:
        self.faults = FaultBook()
        self.discogs = SimulatedDiscogs(discogs or DiscogsConfig())
        self.traffic = Traffic(record_bodies=record_bodies)
        self._stopping = asyncio.Event()
        lml = Lml(self.discogs, commit_sha)
        app = build_app(Sandbox(lml, self.faults, self.traffic, Settings(api_key, latency_ms), self._stopping))
        app.router.lifespan_context = self._lifespan
        self._port = port
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop  # known once the server is up
        self._socket: socket.socket  # listens from then on
        self._thread = threading.Thread(target=self._run, name="sandbox-lml", daemon=True)
        self._server = uvicorn.Server(_config(app))

    @property
    def url(self) -> str:
        """Base URL, "http://127.0.0.1:PORT"; the port is known once the server is up."""
        return f"http://{_HOST}:{self._port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The last 1000 requests to LML's operations, oldest first, without credentials."""
        return self.traffic.requests()

    def state(self) -> dict[str, Any]:
        """Return what GET /sandbox/state answers."""
        return state(self.discogs, self.traffic, self.faults)

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
        """End every request and the server; nothing happens when it has stopped already."""
        if not self._thread.is_alive():
            return
        # Before uvicorn waits for its requests: those that hang or queue for Discogs end on this event.
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
    on_ready: Callable[[str], object] | None = None,
) -> None:
    """Run a sandbox LML until SIGINT or SIGTERM, then return; call it from the main thread.

    ``on_ready`` is told the URL once the server answers. Prints nothing. Raises OSError when the port is taken.
    """
    # The one queue whose put() may run inside a signal handler while the same thread waits in get().
    stop: queue.SimpleQueue[int] = queue.SimpleQueue()
    handlers = {one: signal.signal(one, lambda number, _: stop.put(number)) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        with SandboxLml(port=port, api_key=api_key, discogs=discogs, latency_ms=latency_ms) as server:
            if on_ready is not None:
                on_ready(server.url)
            stop.get()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _Protocol(H11Protocol):
    """HTTP/1.1 whose requests can reach their transport, so that a fault can cut the connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
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
        log_level="error",  # what remains is a defect of the sandbox, and shows on stderr
        timeout_keep_alive=120,  # longer than clients keep idle connections, so that none is closed under a request
        timeout_graceful_shutdown=_GRACE_S,
    )


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener
