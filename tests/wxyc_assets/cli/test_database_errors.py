"""A database that cannot be reached is one line that says what to do, in every command."""

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from wxyc_assets.cli.database_errors import explained

REFUSED = psycopg.OperationalError('connection to server at "127.0.0.1", port 9 failed: Connection refused')


@pytest.fixture(autouse=True)
def station_that_is_down(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://x:secretpw@127.0.0.1:9/none")


@pytest.mark.parametrize(
    "error",
    [REFUSED, OperationalError("SELECT 1", {}, REFUSED), psycopg.errors.AdminShutdown("terminating connection")],
)
def test_connection_that_failed_is_explained(error):
    said = explained(error)
    assert said is not None
    assert said.startswith("the database none at 127.0.0.1:9 cannot be reached")
    assert "secretpw" not in said


@pytest.mark.parametrize(
    "error", [psycopg.errors.QueryCanceled("statement timeout"), ValueError("no"), KeyError("orig")]
)
def test_other_errors_are_not(error):
    assert explained(error) is None


@pytest.mark.parametrize("command", ["up", "demo", "sandbox create", "migrate", "run rated_usage", "quarantine"])
def test_every_command_says_it_once(wxyc, command):
    finished = wxyc(*command.split(), DATABASE_URL="postgresql://x@127.0.0.1:9/none")
    assert finished.exit_code == 1
    assert "cannot be reached: Connection refused" in finished.printed["error"]
    assert finished.stderr.count("cannot be reached") == 1
    assert "Traceback" not in finished.stderr
