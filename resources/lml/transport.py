"""One HTTP exchange with LML: one deadline for all of it, a limit on the body, and no trace of the key in errors."""

import time
import zlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import cast

import httpx
from pydantic import SecretStr

from resources.deadline_transport import deadline
from resources.lml.errors import LmlError, LmlTimeout, LmlUnreachable


class Bearer(httpx.Auth):
    """Adds the key to each request as it is sent, so that no default header and no repr holds it."""

    def __init__(self, key: SecretStr) -> None:
        self._key = key

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Set the header of one request."""
        request.headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        yield request


@dataclass(frozen=True)
class Reply:
    """An HTTP answer before its body is parsed.

    Attributes:
        status: the HTTP status.
        retry_after: text of the Retry-After header; None without one.
        body: the whole body, decompressed; empty if there is a ``problem``.
        problem: why the body was not read, as the end of a sentence; None if it was read.
    """

    status: int
    retry_after: str | None = field(repr=False)  # LML's text can quote the key, and error reporters print reprs
    body: bytes = field(repr=False)
    problem: str | None = None
    too_large: bool = False


class _UnreadableBodyError(Exception):
    """A body that is not read; the message says why."""


class _TooLargeError(_UnreadableBodyError):
    """A body that is larger than the client accepts."""


def exchange(
    http: httpx.Client, request: httpx.Request, *, auth: httpx.Auth | None, timeout_s: float, max_bytes: int
) -> Reply:
    """Send one request and read the whole answer, at most ``max_bytes``, within ``timeout_s``.

    Raises LmlTimeout or LmlUnreachable. Neither has a cause or a context: the frames of the HTTP stack hold the key, and error
    reporters print the locals of frames.
    """
    failure: LmlError
    try:
        with deadline(time.monotonic() + timeout_s) as deadline_at:
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
        # Only the class: the texts of protocol errors quote bytes of the peer.
        failure = LmlUnreachable(f"the connection to LML broke ({type(error).__name__}); try again")
    raise failure


def _read(response: httpx.Response, *, deadline_at: float, max_bytes: int) -> Reply:
    retry_after = response.headers.get("Retry-After")
    try:
        body = _read_body(response, deadline_at=deadline_at, max_bytes=max_bytes)
    except _UnreadableBodyError as error:
        return Reply(response.status_code, retry_after, b"", str(error), too_large=isinstance(error, _TooLargeError))
    return Reply(response.status_code, retry_after, body)


def _read_body(response: httpx.Response, *, deadline_at: float, max_bytes: int) -> bytes:
    inflate = _inflater(response.headers.get("Content-Encoding", "identity").strip().lower())
    body = bytearray()
    # The raw stream: httpx would inflate a whole chunk, to a thousand times its size, before this code could count.
    for chunk in cast("httpx.SyncByteStream", response.stream):
        if time.monotonic() >= deadline_at:
            raise httpx.ReadTimeout("the body did not end in time")
        body += inflate(chunk, max_bytes + 1 - len(body)) if inflate else chunk
        if len(body) > max_bytes:
            raise _TooLargeError(f"is larger than {max_bytes} bytes, so it was not read; ask for less at once")
    return bytes(body)


def _inflater(encoding: str) -> Callable[[bytes, int], bytes] | None:
    """Return a function that decompresses a chunk to at most the given number of bytes, or None if there is no compression."""
    if encoding in {"identity", ""}:
        return None
    if encoding not in {"gzip", "x-gzip"}:
        raise _UnreadableBodyError("has an encoding that was not asked for; check the proxies in front of LML")
    gunzip = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)

    def inflate(chunk: bytes, at_most: int) -> bytes:
        try:
            return gunzip.decompress(chunk, at_most)
        except zlib.error:
            raise _UnreadableBodyError("is damaged gzip; check the proxies in front of LML") from None

    return inflate
