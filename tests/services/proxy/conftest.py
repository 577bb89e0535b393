"""The webservers of deploy/, with and without changes, behind a real nginx that runs deploy/proxy/nginx.conf."""

import os
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes import running
from tests.services.deployment import DEPLOY, read_only_webserver, services
from tests.services.stack import stack
from tests.waiting import wait_for

NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
OPERATORS, VIEWERS = "dagster.example.org", "dagster-view.example.org"
USER, PASSWORD = "anna", "correct horse"
AROUND = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """The proxy, as a browser reaches it under the name of a site."""

    port: int
    certificate: Path

    def trusted(self) -> ssl.SSLContext:
        """Trust this certificate alone."""
        return ssl.create_default_context(cafile=self.certificate)

    def request(self, method: str, site: str, path: str, **options: Any) -> httpx.Response:
        """Send a request to a site."""
        headers = {"host": site, **options.pop("headers", {})}
        extensions = {"sni_hostname": site}
        with httpx.Client(verify=self.trusted(), trust_env=False, timeout=120) as client:
            url = f"https://127.0.0.1:{self.port}{path}"
            return client.request(method, url, headers=headers, extensions=extensions, **options)

    def operation(self, site: str, query: str, **options: Any) -> httpx.Response:
        """Send a GraphQL operation, as the UI's pages do."""
        headers = {"origin": f"https://{site}", **options.pop("headers", {})}
        return self.request("POST", site, "/graphql", json={"query": query}, headers=headers, **options)


@pytest.fixture(scope="module")
def proxy(site, tmp_path_factory) -> Iterator[Proxy]:
    """The code location, both webservers and nginx."""
    assert NGINX, "no nginx: `make test-proxy` installs it"
    folder, port = tmp_path_factory.mktemp("nginx"), _free_port()
    site.machine.install(
        *(site.machine.text((DEPLOY / name).read_text()) for name in ("dagster.yaml", "workspace.yaml"))
    )
    settings = {**site.settings, "WXYC_UI_URL": f"https://{OPERATORS}", "WXYC_UI_HOSTS": VIEWERS}
    found = services(settings, site.machine)
    found["webserver-read-only"] = read_only_webserver(found["webserver"], site.machine)
    configure(folder, port, site.machine.text((DEPLOY / "proxy" / "nginx.conf").read_text()))
    with stack(found, site.machine) as started:
        started.up("migrate", "code-location", "webserver", "webserver-read-only")
        with running([NGINX, "-p", folder, "-c", folder / "nginx.conf"]) as process:
            reached = Proxy(port, folder / "dagster.pem")
            wait_for(lambda: _answers(port) or process.poll() is not None, "nginx")
            yield reached


def configure(folder: Path, port: int, configuration: str) -> None:
    """Write the configuration with a port and paths of the test's own, a certificate, and the passwords as the page says."""
    names = ",".join(f"DNS:{name}" for name in (OPERATORS, VIEWERS))
    key, certificate = folder / "dagster.key", folder / "dagster.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={OPERATORS}"),
            *("-addext", f"subjectAltName={names}", "-keyout", key, "-out", certificate),
        ],
        capture_output=True,
        check=True,
    )
    hashed = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"], input=PASSWORD, capture_output=True, text=True, check=True
    )
    (folder / "passwords").write_text(f"{USER}:{hashed.stdout}")
    replaced = {
        "listen 443": f"listen 127.0.0.1:{port}",
        "/etc/ssl/certs/dagster.pem": certificate,
        "/etc/ssl/private/dagster.key": key,
        "/etc/nginx/wxyc-assets.passwords": folder / "passwords",
    }
    for word, ours in replaced.items():
        assert word in configuration
        configuration = configuration.replace(word, str(ours))
    (folder / "site.conf").write_text(configuration)
    user = "user root;" if os.geteuid() == 0 else ""  # else its workers could not read the test's folder
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user))


def _answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
