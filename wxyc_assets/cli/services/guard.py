"""Refuses requests that another site's web page makes: the UI starts runs that move money, and has no login.

A page can send requests to this machine from its reader's browser. The browser marks them with Origin, or with a Host that the
page's own domain name resolved to. A page cannot send JSON to another site without asking first. So a request passes if

- its Host is this server's own, and its Origin, if it has one, as well (for websockets too);
- it changes nothing by GET, and everything else arrives as JSON.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

READING_METHODS = ("GET", "HEAD", "OPTIONS")
FORBIDDEN, METHOD_NOT_ALLOWED, UNSUPPORTED_MEDIA_TYPE = 403, 405, 415
GRAPHQL = "/graphql"
HTTP_PORT = 80


def own_hosts(port: int) -> frozenset[str]:
    """Return the values of Host with which a browser on this machine reaches a server on this port."""
    suffix = "" if port == HTTP_PORT else f":{port}"  # a browser leaves out the default
    return frozenset(f"{name}{suffix}" for name in ("127.0.0.1", "localhost"))


def own_origins(port: int) -> frozenset[str]:
    """Return the origins of the pages that a browser on this machine loads from a server on this port."""
    return frozenset(f"http://{host}" for host in own_hosts(port))


class Guard:
    """An ASGI application that passes on what its own pages and programs request, and refuses the rest.

    ``hosts`` are the values of Host under which the server is reached, ``origins`` the origins of its pages.
    """

    def __init__(self, app: App, hosts: Iterable[str], origins: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        refusal = self._refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if refusal is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": refusal[1]})  # the client sees a 403
        else:
            await _answer(send, *refusal)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return FORBIDDEN, f"this server is at {self._address()}, and answers no request for another host"
        if any(origin not in self._origins for origin in origins):
            return FORBIDDEN, f"only pages of {self._address()} may use this server"
        return _method_refusal(scope) if scope["type"] == "http" else None

    def _address(self) -> str:
        return " or ".join(sorted(self._origins))


def _method_refusal(scope: Scope) -> tuple[int, str] | None:
    if scope["method"] in READING_METHODS:
        if scope["path"].rstrip("/") == GRAPHQL and scope["query_string"]:
            return METHOD_NOT_ALLOWED, f"{GRAPHQL} answers only to POST with application/json"
        return None
    kinds = [value.partition(";")[0].strip() for value in _values(scope, b"content-type")]
    if kinds != ["application/json"]:
        return UNSUPPORTED_MEDIA_TYPE, "send it as application/json"
    return None


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").strip().lower() for key, value in scope["headers"] if key.lower() == name]


async def _answer(send: Send, status: int, text: str) -> None:
    body = f"{text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status == METHOD_NOT_ALLOWED:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
