"""An HTTP transport whose sockets keep one deadline for a whole exchange, however slowly the peer sends."""

import contextvars
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

WRITE_SLICE_BYTES = 64 * 1024

# httpx has timeouts for single reads and writes only: a peer that sends one byte at a time would get a new one with each
# byte. One exchange runs in one thread, so a context variable reaches the socket under the pool without a new parameter.
_deadline_at: contextvars.ContextVar[float | None] = contextvars.ContextVar("deadline_at", default=None)


@contextmanager
def deadline(at: float) -> Iterator[float]:
    """Let the exchanges of the block end by that instant of ``time.monotonic``; yield it."""
    token = _deadline_at.set(at)
    try:
        yield at
    finally:
        _deadline_at.reset(token)


def _allowed_s(timeout: float | None, late: type[Exception]) -> float | None:
    """Return the timeout of the next socket operation; raises ``late`` if the exchange has no time left."""
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
def _ssl_context(*, trust_env: bool) -> ssl.SSLContext:
    """Return the TLS context of every client. It is cached, because reading the authorities takes longer than a call."""
    return httpx.create_ssl_context(trust_env=trust_env)


class DeadlineTransport(httpx.HTTPTransport):
    """httpx's own transport, over sockets that keep the deadline of their exchange."""

    def __init__(self, *, proxy: str | None = None, trust_env: bool = False) -> None:
        """Use this proxy, or none; ``trust_env``: the environment may name the certificate authorities."""
        ssl_context = _ssl_context(trust_env=trust_env)
        super().__init__(verify=ssl_context, trust_env=trust_env, proxy=proxy)
        if proxy:
            self._pool._network_backend = _DeadlineBackend()  # noqa: SLF001 - httpx passes none on to a proxy's pool
            return
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context,
            max_connections=None,  # calls are limited before this point; waiting here would use up their deadline
            max_keepalive_connections=20,
            keepalive_expiry=5.0,
            network_backend=_DeadlineBackend(),
        )
