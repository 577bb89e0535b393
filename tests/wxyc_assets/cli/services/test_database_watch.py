"""The watches on the embedded and on a configured PostgreSQL; ``test_serve`` has both with a ``wxyc up``."""

from typing import Any

import pytest

from resources.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError
from tests.processes import temporary_home
from wxyc_assets.cli.outcome import CannotError
from wxyc_assets.cli.services import database_watch
from wxyc_assets.cli.services.database_watch import ConfiguredDatabaseWatch, DatabaseWatch, configured_watches
from wxyc_assets.settings import DatabaseSettings, load


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


def test_configured_server_is_reported_once_gone_and_once_back():
    said: list[str] = []
    with temporary_home("wxyc-watch-") as home:
        server = EmbeddedPostgres(home)
        server.start()
        watch = ConfiguredDatabaseWatch(server.dsn(), "DATABASE_URL", said.append)
        watch.look(at_once=True)
        assert (watch.answers, said) == (True, [])
        server.stop()
        watch.look(at_once=True)
        watch.look(at_once=True)
        assert (watch.answers, len(said)) == (False, 1)
        assert said[0].startswith("the PostgreSQL of DATABASE_URL, postgres at ")
        assert "does not answer: " in said[0]
        server.start()
        watch.look(at_once=True)
        assert (watch.answers, len(said)) == (True, 2)
        assert "answers again" in said[1]
        server.stop()


@pytest.mark.parametrize(
    ("settings", "watched"),
    [
        ({}, 0),
        ({"DATABASE_URL": "postgresql://a@one/s"}, 1),
        ({"DATABASE_URL": "postgresql://a@one/s", "DAGSTER_DATABASE_URL": "postgresql://b@one/d"}, 1),
        ({"DATABASE_URL": "postgresql://a@one/s", "DAGSTER_DATABASE_URL": "postgresql://b@two/d"}, 2),
        ({"DAGSTER_DATABASE_URL": "postgresql://b@two/d"}, 1),
        ({"DATABASE_URL": "postgresql://a@one/s", "BILLING_DATABASE_URL": "postgresql://b@two:5433/d"}, 2),
        ({"DATABASE_URL": "postgresql://a@one/s", "BILLING_DATABASE_URL": "postgresql://b@one:5432/d"}, 1),
    ],
)
def test_each_configured_server_is_watched_once(settings, watched):
    assert len(list(configured_watches(load(DatabaseSettings, settings), print))) == watched


def test_only_the_server_of_dagsters_storage_holds_the_services():
    gone = "postgresql://x@127.0.0.1:9/x"
    settings = {"DATABASE_URL": gone, "DAGSTER_DATABASE_URL": "postgresql://x@127.0.0.1:7/x"}
    station, storage = configured_watches(load(DatabaseSettings, settings), print)
    for watch in (station, storage):
        watch.look(at_once=True)
    assert (station.answers, station.holds_services) == (False, False)
    assert (storage.answers, storage.holds_services) == (False, True)
    (alone,) = configured_watches(load(DatabaseSettings, {"DATABASE_URL": gone}), print)
    alone.look(at_once=True)
    assert alone.holds_services
