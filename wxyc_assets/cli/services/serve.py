"""``wxyc up``: starts everything, watches it, and ends it all."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from resources import home_folder
from resources.embedded_postgres import Lease
from wxyc_assets.cli import station
from wxyc_assets.cli.instance import create_storage, prepare_instance
from wxyc_assets.cli.outcome import CannotError, Outcome, Output
from wxyc_assets.cli.services import one_up, ports, station_lock
from wxyc_assets.cli.services.database_watch import DatabaseWatch, Watch, configured_watches
from wxyc_assets.cli.services.readiness import is_ready
from wxyc_assets.cli.services.service import Service
from wxyc_assets.cli.services.stop_signals import StopRequested, StopSignals, stop_signals
from wxyc_assets.database import connections
from wxyc_assets.settings import DatabaseSettings, load

READY_TIMEOUT_S = 120.0
LOOK_EVERY_S = 0.5


def serve(output: Output, *, port: int, lml_port: int) -> None:
    """Start everything, print the addresses once the graph is loaded, and watch it until a signal asks for the end.

    Raises CannotError with the reason if something cannot be started, or ends and cannot be brought back.
    """
    printed = False
    with stop_signals() as signals:
        try:
            with ExitStack() as stack:
                try:
                    services, watches, addresses = _start(stack, signals, port=port, lml_port=lml_port)
                    _wait_until_ready(addresses["ui"], services, signals)
                    printed = True
                    started = Outcome(addresses, lines=_lines(addresses), shows=[station.SANDBOX_KEY])
                    _tell(lambda: output.print(started))
                    _watch(services, watches, addresses["ui"], signals)
                finally:
                    signals.ignore()
                    _say("stopping")
        except StopRequested:
            if not printed:
                raise CannotError("stopped before everything had started; the next `wxyc up` starts anew") from None


def _start(
    stack: ExitStack, signals: StopSignals, *, port: int, lml_port: int
) -> tuple[Sequence[Service], Sequence[Watch], dict[str, str]]:
    """Start everything that the UI needs, and the UI; return the services, the watches on databases, and the addresses."""
    ports.require_port(port, "--port")
    ports.require_port(lml_port, "--lml-port")
    home = _require_home()
    ours = stack.enter_context(one_up.held(home, _say))
    listener = stack.enter_context(ports.listening(port, "--port"))
    ui = f"http://{ports.HOST}:{listener.getsockname()[1]}"
    lease = stack.enter_context(station.ensure_database())
    lock = stack.enter_context(station_lock.held(connections.open_postgres(), home))
    station.prepare_station()
    lml = stack.enter_context(station.ensure_lml(lml_port))
    prices = stack.enter_context(station.ensure_prices())
    stack.enter_context(station.ensure_billing_start())
    stack.enter_context(station.ensure_ui_url(ui))
    workspace = str(prepare_instance() / "workspace.yaml")
    create_storage()
    logs = home / "logs"
    home_folder.make_private(logs)
    inherited = [ours.services, *([lease.descriptor] if lease else [])]
    socket = listener.fileno()
    services = [
        Service("webserver", [workspace, str(socket)], logs / "webserver.log", [*inherited, socket]),
        Service("daemon", [workspace], logs / "daemon.log", inherited),
    ]
    _say("starting the Dagster UI")
    stack.enter_context(_running(services, signals))
    ours.announce(ui)
    addresses = {"ui": ui, "graph": f"{ui}/asset-groups", "logs": str(logs)}
    addresses |= station.lml_environment(lml) if lml else {}
    return services, _watches(lease, lock), addresses | prices


def _watches(lease: Lease | None, lock: Watch) -> list[Watch]:
    settings = load(DatabaseSettings)
    embedded = [DatabaseWatch(connections.embedded(settings), lease, _say)] if lease else []
    return [*embedded, lock, *configured_watches(settings, _say)]  # the lock needs the embedded server


def _lines(addresses: Mapping[str, str]) -> list[str]:
    lines = [f"the Dagster UI is at {addresses['ui']}, its graph at {addresses['graph']}; Ctrl-C stops everything"]
    if lml := addresses.get("LIBRARY_METADATA_URL"):
        lines.append(f"the sandbox LML is at {lml}, its key is {addresses['LML_API_KEY']}")
    return lines


def _require_home() -> Path:
    settings = load(DatabaseSettings)
    home = settings.home.absolute()
    if problem := home_folder.find_problem(home, for_database=settings.database_url is None):
        raise CannotError(str(problem))
    return home


@contextmanager
def _running(services: Sequence[Service], signals: StopSignals) -> Iterator[None]:
    """Start the services, and end them all at the same time."""
    try:
        for service in services:
            with signals.deferred():  # a process that nothing waits for would keep its PostgreSQL
                service.start()
        yield
    finally:
        for service in services:
            service.request_stop()
        for service in services:
            service.finish()


def _wait_until_ready(ui: str, services: Sequence[Service], signals: StopSignals) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not is_ready(ui):
        signals.check()
        for service in services:
            if how := service.ended():
                raise CannotError(f"the Dagster {service.name} {how} while it started: see {service.log}")
        if time.monotonic() > deadline:
            raise CannotError(
                f"the Dagster UI did not load the graph within {READY_TIMEOUT_S:.0f} s: see {services[0].log}"
            )
        time.sleep(0.2)


def _watch(services: Sequence[Service], databases: Sequence[Watch], ui: str, signals: StopSignals) -> None:
    """Bring back what ends, and say so, until a signal raises StopRequested."""
    while True:
        _look(databases)
        for service in services:
            # A service whose database is gone ends again at each start, so it waits until the database answers.
            if (how := service.ended()) and _look(databases, at_once=True):
                with signals.deferred():
                    restarted = service.restart(how)
                _say(restarted)
                try:
                    _wait_until_ready(ui, services, signals)
                except CannotError:
                    if _look(databases, at_once=True):
                        raise
                else:
                    _say(f"the Dagster {service.name} works again")
        signals.check()
        time.sleep(LOOK_EVERY_S)


def _look(databases: Sequence[Watch], *, at_once: bool = False) -> bool:
    """Look at the databases, and return whether Dagster's processes can start."""
    for database in databases:
        database.look(at_once=at_once)
    return not any(database.holds_services for database in databases)


def _say(text: str) -> None:
    """Tell the operator something."""
    _tell(lambda: click.echo(text, err=True))


def _tell(write: Callable[[], None]) -> None:
    """Write to the operator. If the terminal is closed, or the reader of the pipe gone, nothing is said from then on."""
    try:
        write()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stderr.fileno())  # or Python, which still holds the text, would fail at its end
        os.close(nowhere)
