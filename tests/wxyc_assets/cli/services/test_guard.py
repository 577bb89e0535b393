"""The guard before the UI: which requests it passes on, and which it refuses."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from wxyc_assets.cli.services.guard import Guard, own_hosts, own_origins

OWN = "http://127.0.0.1:3000"
JSON = {"content-type": "application/json"}
ANY = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE"]


@pytest.fixture
def client():
    app = Starlette(routes=[Route("/{path:path}", lambda _request: PlainTextResponse("passed"), methods=ANY)])
    transport = httpx.ASGITransport(app=Guard(app, own_hosts(3000), own_origins(3000)))
    return httpx.AsyncClient(transport=transport, base_url=OWN)


def status(client, method, path, headers=(), **content):
    headers = headers if isinstance(headers, list) else list(dict(headers).items())
    return asyncio.run(client.request(method, path, headers=headers, **content)).status_code


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "LOCALHOST:3000"])
@pytest.mark.parametrize("origin", [None, "http://127.0.0.1:3000", "http://localhost:3000"])
def test_own_pages_and_programs_pass(client, host, origin):
    headers = {"host": host} | ({"origin": origin} if origin else {})
    assert status(client, "GET", "/assets", headers) == 200
    assert status(client, "GET", "/graphql", headers) == 200, "the page of the editor of queries"
    for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON"):
        assert status(client, "POST", "/graphql", headers | {"content-type": kind}, content="{}") == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "127.0.0.1",
        "127.0.0.1:3001",
        "localhost.:3000",
        "localhost.evil.example:3000",
        "",
    ],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("POST", "/graphql"), ("GET", "/server_info"), ("HEAD", "/logs/x")]
)
def test_foreign_host_is_refused(client, host, method, path):
    """A page whose name resolves to this machine sends its own name as Host."""
    assert status(client, method, path, JSON | {"host": host}) == 403


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1:3001", "https://127.0.0.1:3000", "http://localhost", ""],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/"), ("POST", "/graphql"), ("POST", "/report_asset_materialization/x")]
)
def test_foreign_origin_is_refused(client, origin, method, path):
    assert status(client, method, path, JSON | {"origin": origin}) == 403


@pytest.mark.parametrize(
    "kind", [None, "text/plain", "application/graphql", "text/plain; application/json", "multipart/form-data"]
)
@pytest.mark.parametrize("path", ["/graphql", "/graphql/", "/report_asset_materialization/x"])
def test_change_that_is_not_json_is_refused(client, kind, path):
    """A form of any page can send these without asking."""
    assert status(client, "POST", path, {"content-type": kind} if kind else {}, content="{}") == 415


@pytest.mark.parametrize("path", ["/graphql?query=mutation{x}", "/graphql/?query={x}", "/graphql?variables={}"])
def test_graphql_by_get_is_refused(client, path):
    assert status(client, "GET", path) == 405


def test_two_hosts_or_origins_are_refused(client):
    for double in (
        [("host", "127.0.0.1:3000"), ("host", "evil.example")],
        [("origin", OWN), ("origin", "https://evil.example")],
    ):
        assert status(client, "GET", "/", double) == 403


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ([(b"host", b"127.0.0.1:3000"), (b"origin", b"http://127.0.0.1:3000")], True),
        ([(b"host", b"127.0.0.1:3000")], True),
        ([(b"host", b"127.0.0.1:3000"), (b"origin", b"https://evil.example")], False),
        ([(b"host", b"evil.example:3000"), (b"origin", b"http://evil.example:3000")], False),
    ],
)
def test_websocket_of_a_foreign_page_is_closed(headers, passes):
    sent, reached = [], []

    async def app(*_):
        reached.append(True)

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "websocket.connect"}

    scope = {"type": "websocket", "path": "/graphql", "headers": headers}
    asyncio.run(Guard(app, own_hosts(3000), own_origins(3000))(scope, receive, send))
    assert (bool(reached), [message["type"] for message in sent]) == (passes, [] if passes else ["websocket.close"])


def test_default_port_of_http_is_not_in_the_host():
    assert own_hosts(80) == {"127.0.0.1", "localhost"}
