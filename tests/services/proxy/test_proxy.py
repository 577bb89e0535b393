"""The UI behind Debian's nginx: a login for everything, a read-only UI without one, and the guard behind both."""

import base64
import socket

import httpx
import pytest

from tests.services.proxy.conftest import OPERATORS, PASSWORD, USER, VIEWERS

pytestmark = pytest.mark.timeout(1500)

READS = "{ version }"
CHANGES = 'mutation { reloadRepositoryLocation(repositoryLocationName: "wxyc_assets") { __typename } }'
LOGIN = (USER, PASSWORD)


def typename(answer):
    return answer.json()["data"]["reloadRepositoryLocation"]["__typename"]


@pytest.mark.parametrize("login", [None, (USER, "wrong"), ("bob", PASSWORD)])
def test_operators_site_needs_the_login(proxy, login):
    for path in ("/", "/server_info", "/graphql"):
        assert proxy.request("GET", OPERATORS, path, auth=login).status_code == 401
    assert proxy.operation(OPERATORS, CHANGES, auth=login).status_code == 401


def test_operator_with_the_login_reads_and_changes(proxy):
    assert "<!DOCTYPE html>" in proxy.request("GET", OPERATORS, "/", auth=LOGIN).text
    assert proxy.operation(OPERATORS, READS, auth=LOGIN).json()["data"]["version"]
    assert typename(proxy.operation(OPERATORS, CHANGES, auth=LOGIN)) == "WorkspaceLocationEntry"


def test_viewer_reads_without_a_login_and_changes_nothing(proxy):
    assert "<!DOCTYPE html>" in proxy.request("GET", VIEWERS, "/").text
    assert proxy.operation(VIEWERS, READS).json()["data"]["version"]
    assert typename(proxy.operation(VIEWERS, CHANGES)) == "UnauthorizedError"


@pytest.mark.parametrize("name", [OPERATORS, VIEWERS])
def test_page_of_another_site_is_refused_with_a_login_too(proxy, name):
    """A browser adds the login by itself."""
    for origin in ("https://evil.example", "null", f"https://{name}.evil.example"):
        assert proxy.operation(name, CHANGES, auth=LOGIN, headers={"origin": origin}).status_code == 403
    assert proxy.request("GET", name, "/graphql?query=mutation{x}", auth=LOGIN).status_code == 405
    form = proxy.request("POST", name, "/graphql", auth=LOGIN, content="{}", headers={"content-type": "text/plain"})
    assert form.status_code == 415


@pytest.mark.parametrize("port", ["3000", "3001"])
def test_webserver_itself_refuses_other_hosts(proxy, site, port):
    own = f"127.0.0.1:{site.machine.ports[port]}"
    for host, status in ((own, 200), ("evil.example", 403), (f"0.0.0.0:{site.machine.ports[port]}", 403)):
        answer = httpx.get(f"http://{own}/server_info", headers={"host": host}, trust_env=False, timeout=120)
        assert answer.status_code == status, host


def test_websocket_of_the_pages_passes_the_proxy(proxy):
    """And that of another site's page does not."""
    for origin, status in ((f"https://{OPERATORS}", b"101"), ("https://evil.example", b"403")):
        assert upgrade(proxy, origin).split()[1] == status


def upgrade(proxy, origin):
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    request = (
        f"GET /graphql HTTP/1.1\r\nHost: {OPERATORS}\r\nOrigin: {origin}\r\nAuthorization: Basic {login}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-ws\r\n\r\n"
    )
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=120) as plain,
        proxy.trusted().wrap_socket(plain, server_hostname=OPERATORS) as connection,
    ):
        connection.sendall(request.encode())
        return connection.recv(4096)
