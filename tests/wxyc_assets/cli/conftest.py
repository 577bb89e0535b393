"""The program as users run it: a process with an environment, two streams and an exit code."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.embedded_postgres import EmbeddedPostgres
from tests import program
from tests.processes import temporary_home
from tests.system import SYSTEM
from wxyc_assets.sandbox.generator import generate_libraries
from wxyc_assets.sandbox.lml.faults import Fault
from wxyc_assets.sandbox.lml.server import SandboxLml
from wxyc_assets.sandbox.sample import SAMPLE_PRICES


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A state folder for the embedded server, which is stopped at the end: what it holds and whether it runs is one file's."""
    with temporary_home("wxyc-cli-") as folder:
        yield folder
        EmbeddedPostgres(folder).stop()


@pytest.fixture
def environ(home: Path) -> dict[str, str]:
    """The environment of every command: no setting but a home."""
    return {**SYSTEM, "WXYC_HOME": str(home), "HOME": str(home)}


@pytest.fixture
def wxyc(environ):
    def run(*arguments, timeout=120, **settings):
        given = {name: value for name, value in settings.items() if value is not None}
        return program.run(arguments, {**environ, **given}, timeout)

    return run


@pytest.fixture
def lml():
    with SandboxLml() as lml:
        yield lml


@pytest.fixture
def at_station(station, server, lml):
    """The settings of a configured station, with its own Dagster storage and an LML."""
    dagster = server.create_database()
    yield {
        "DATABASE_URL": station.dsn,
        "DAGSTER_DATABASE_URL": dagster,
        "LIBRARY_METADATA_URL": lml.url,
        "LML_API_KEY": "sandbox-key",
        "PRICE_FILE": str(SAMPLE_PRICES),
    }
    server.drop_database(dagster)


@pytest.fixture
def failing_run(wxyc, station, lml):
    """Runs library_identity over 48 libraries while LML gives answers that were not requested."""

    def run(settings):
        with station.connect() as connection:
            generate_libraries(connection, 48, first_id=1)
        lml.faults.arm(Fault(endpoint="bulk-resolve-libraries", kind="foreign", times=None))
        finished = wxyc("run", "library_identity", **settings)
        lml.faults.clear()
        assert finished.exit_code == 2
        return finished

    return run


@pytest.fixture
def free_port():
    """Return a free port, or, with ``keep``, a port that this test occupies."""
    kept: list[socket.socket] = []

    def port(*, keep=False):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        number = listener.getsockname()[1]
        if keep:
            listener.listen()
            kept.append(listener)
        else:
            listener.close()
        return number

    yield port
    for listener in kept:
        listener.close()
