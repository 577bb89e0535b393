"""Owns one HTTP exchange with LML: a deadline over all of it, a bound on what is read, no trace of the key."""

import contextvars
import ssl
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import httpcore
import httpx
from pydantic import SecretStr

from resources.lml.errors import LmlError, LmlTimeout, LmlUnreachable

WRITE_SLICE_BYTES = 64 * 1024

# httpx knows timeouts for single reads and writes only, and a peer that drips would get a new one with every byte. One
# exchange runs in one thread, so a context variable reaches the socket under the pool without widening any signature.
_deadline_at: contextvars.ContextVar[float | None] = contextvars.ContextVar("lml_deadline_at", default=None)


@contextmanager
def _deadline(at: float) -> Iterator[float]:
    token = _deadline_at.set(at)
    try:
        yield at
    finally:
        _deadline_at.reset(token)


def _allowed_s(timeout: float | None, late: type[Exception]) -> float | None:
    """Return how long the next socket operation may take; raises ``late`` if the exchange has no time left."""
    at = _deadline_at.get()
    if at is None:
        return timeout
    left_s = at - time.monotonic()
    if left_s <= 0:
        raise late("the exchange ran out of time")
    return left_s if timeout is None else min(timeout, left_s)


class _DeadlineStream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _allowed_s(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), WRITE_SLICE_BYTES):
            allowed_s = _allowed_s(timeout, httpcore.WriteTimeout)
            self._inner.write(buffer[start : start + WRITE_SLICE_BYTES], allowed_s)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        allowed_s = _allowed_s(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._inner.start_tls(ssl_context, server_hostname, allowed_s))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


class _DeadlineBackend(httpcore.SyncBackend):
    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        allowed_s = _allowed_s(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(super().connect_tcp(host, port, allowed_s, local_address, socket_options))


@cache
def _ssl_context() -> ssl.SSLContext:
    """Return what every client verifies LML with: reading the authorities takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport, over sockets that know when their exchange must be over. Direct: no proxy."""

    def __init__(self) -> None:
        ssl_context = _ssl_context()
        super().__init__(verify=ssl_context, trust_env=False)
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=None,  # callers are bounded before they get here; waiting here would eat their deadline
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_DeadlineBackend(),
        )


class Bearer(httpx.Auth):
    """Adds the key to a request at the last moment, so that no default header or repr holds it."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header of one request."""
        request.headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        yield request


@dataclass(frozen=True)
class Reply:
    """An answer as it came.

    Attributes:
        status: the HTTP status.
        retry_after: the header's text, if there was one.
        body: the whole body, decompressed; empty if there is a ``problem``.
        problem: why the body could not be read, as the end of a sentence; None if it was read.
    """

    status: int
    retry_after: str | None = field(repr=False)  # LML's own words can quote the key, and reporters print reprs
    body: bytes = field(repr=False)
    problem: str | None = None


class _UnreadableBodyError(Exception):
    """A body that will not be read; says why."""


def exchange(
    http: httpx.Client, request: httpx.Request, *, auth: httpx.Auth | None, timeout_s: float, max_bytes: int
) -> Reply:
    """Send one request and read the whole answer, at most ``max_bytes``, within ``timeout_s``.

    Raises LmlTimeout or LmlUnreachable. Neither has a cause or a context: the frames of the HTTP stack hold the key,
    and error reporters print the locals of frames.
    """
    failure: LmlError
    try:
        with _deadline(time.monotonic() + timeout_s) as deadline_at:
            response = http.send(request, auth=auth, stream=True)
            try:
                return _read(response, deadline_at=deadline_at, max_bytes=max_bytes)
            finally:
                response.close()
    except httpx.TimeoutException:
        failure = LmlTimeout(
            f"LML did not answer {request.url.path} completely within {timeout_s:g} s; it is slow or stuck, try later"
        )
    except httpx.ConnectError as error:
        failure = LmlUnreachable(f"no connection to LML ({error}); is it running, and is LIBRARY_METADATA_URL right?")
    except httpx.TransportError as error:
        # Only the kind: the texts of protocol errors quote bytes of the peer.
        failure = LmlUnreachable(f"the connection to LML broke ({type(error).__name__}); try again")
    raise failure


def _read(response: httpx.Response, *, deadline_at: float, max_bytes: int) -> Reply:
    retry_after = response.headers.get("Retry-After")
    try:
        body = _read_body(response, deadline_at=deadline_at, max_bytes=max_bytes)
    except _UnreadableBodyError as error:
        return Reply(response.status_code, retry_after, b"", str(error))
    return Reply(response.status_code, retry_after, body)


def _read_body(response: httpx.Response, *, deadline_at: float, max_bytes: int) -> bytes:
    inflate = _inflater(response.headers.get("Content-Encoding", "identity").strip().lower())
    body = bytearray()
    # The raw stream: httpx would inflate a whole chunk, to a thousand times its size, before anybody could count.
    for chunk in cast("httpx.SyncByteStream", response.stream):
        if time.monotonic() >= deadline_at:
            raise httpx.ReadTimeout("the body is dripping")
        body += inflate(chunk, max_bytes + 1 - len(body)) if inflate else chunk
        if len(body) > max_bytes:
            raise _UnreadableBodyError(f"is larger than {max_bytes} bytes, so it was not read; ask for less at once")
    return bytes(body)


def _inflater(encoding: str) -> Callable[[bytes, int], bytes] | None:
    """Return what turns a chunk of the body into at most so many bytes of text, or None if it is text already."""
    if encoding in {"identity", ""}:
        return None
    if encoding not in {"gzip", "x-gzip"}:
        raise _UnreadableBodyError("has an encoding that was not asked for; look at what stands between us and LML")
    gunzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def inflate(chunk: bytes, at_most: int) -> bytes:
        try:
            return gunzip.decompress(chunk, at_most)
        except zlib.error:
            raise _UnreadableBodyError("is damaged gzip; look at what stands between us and LML") from None

    return inflate
