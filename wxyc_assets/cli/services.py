"""The Dagster webserver and daemon as children of ``wxyc up``."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import click
import httpx

from wxyc_assets.cli import station
from wxyc_assets.cli.instance import prepare_instance
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.settings import HomeSettings, load

HOST = "127.0.0.1"
SETTLE = {"DAGSTER_AUTOMATION_TICK_SETTLE_SECONDS": "1"}
"""Without it the automation does not see an event that was committed behind a later one, until the next day."""
READY_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 20.0


def serve(stdout: IO[str], *, port: int, lml_port: int) -> None:
    """Bring everything up, say where it is, and wait until somebody wants it stopped."""
    _require_free(port)
    with ExitStack() as stack:
        stack.enter_context(station.database_at_hand())
        station.bring_up_station()
        lml = stack.enter_context(station.lml_at_hand(lml_port))
        prices = stack.enter_context(station.prices_at_hand())
        folder = prepare_instance()
        logs = load(HomeSettings).home / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        workspace = ["--workspace", str(folder / "workspace.yaml")]
        webserver = stack.enter_context(
            _child("dagster_webserver", [*workspace, "--host", HOST, "--port", str(port)], logs / "webserver.log")
        )
        daemon = stack.enter_context(_child("dagster._daemon", ["run", *workspace], logs / "daemon.log"))
        click.echo("starting the Dagster UI", err=True)
        _wait_until_ready(port, webserver)
        ui = f"http://{HOST}:{port}"
        at = {
            "ui": ui,
            "graph": f"{ui}/asset-groups",
            "logs": str(logs),
            **(station.settings_of(lml) if lml else {}),
            **prices,
        }
        station.print_early(stdout, at)
        click.echo(f"the Dagster UI is at {ui}, its graph at {at['graph']}; Ctrl-C stops everything", err=True)
        station.wait_for_stop(webserver.poll, daemon.poll)
        click.echo("stopping", err=True)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise CannotError(f"port {port} cannot be used ({error.strerror}): choose another with --port") from error


@contextmanager
def _child(module: str, arguments: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a module of Dagster in a session of its own, so that Ctrl-C reaches it only through us; stop it at the end."""
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "PYTHONWARNINGS": "ignore"} | SETTLE,  # its warnings are about itself
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_ready(port: int, webserver: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if webserver.poll() is not None:
            raise CannotError(f"the Dagster webserver ended with code {webserver.returncode}: see webserver.log")
        try:
            if httpx.get(f"http://{HOST}:{port}/server_info", timeout=5, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise CannotError(f"the Dagster webserver was not ready within {READY_TIMEOUT_S:.0f} s: see webserver.log")
