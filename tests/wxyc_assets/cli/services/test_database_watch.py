"""The watch on the embedded PostgreSQL; ``test_serve`` has it with a real server."""

from typing import Any

import pytest

from resources.embedded_postgres import EmbeddedPostgresError
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import database_watch
from wxyc_assets.cli.services.database_watch import DatabaseWatch


class Server:
    """A server that is gone, and fails to start as often as it is told."""

    def __init__(self, failures):
        self.failures, self.starts = failures, 0

    def running(self):
        return False

    def start(self, *, until_unused):
        assert until_unused
        self.starts += 1
        if self.starts <= self.failures:
            raise EmbeddedPostgresError("no space left")


class Lease:
    def keep(self):
        pass


@pytest.fixture
def watch(monkeypatch):
    monkeypatch.setattr(database_watch, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(database_watch, "PAUSE_S", 0.0)
    said: list[str] = []
    lease: Any = Lease()
    return lambda server: (DatabaseWatch(server, lease, said.append), said)


def test_server_comes_back_after_failed_starts(watch):
    looking, said = watch(Server(failures=2))
    looking.look()
    assert [line.partition(":")[0] for line in said] == [
        *["PostgreSQL does not answer", "PostgreSQL did not start"] * 2,
        "PostgreSQL does not answer",
        "PostgreSQL answers again; the Dagster processes connect to it by themselves",
    ]


def test_server_that_does_not_come_back_is_an_error_with_the_reason(watch):
    server = Server(failures=99)
    looking, _ = watch(server)
    with pytest.raises(CannotError, match="5 starts did not bring it back: no space left"):
        looking.look()
    assert server.starts == 5


def test_server_that_ends_after_each_start_is_an_error(watch):
    server = Server(failures=0)
    looking, _ = watch(server)
    for _ in range(5):
        looking.look()
    with pytest.raises(CannotError, match="ends again soon after each start"):
        looking.look()
