"""A start after any crash loses no commit; if it cannot start the server, its error explains why."""

import os
import signal
import subprocess
import time

import psycopg
import pytest

from resources.embedded_postgres import EmbeddedPostgresError, startup
from resources.embedded_postgres.account import account_of
from tests.resources.embedded_postgres.homes import AMPLE_S, answers, kill_server, layout, one


def test_kill_9_of_the_server_loses_no_commit(used):
    used.start()
    with psycopg.connect(used.dsn()) as writer:
        writer.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        writer.commit()
        writer.execute("INSERT INTO kept VALUES (-1)")
        kill_server(used)
        writer.close()
    assert not used.running()
    assert used.start()
    assert one(used, "SELECT count(*), min(n) FROM kept") == (1000, 1)


def test_a_lock_file_with_the_id_of_another_program_is_removed(used):
    """That program lives on. It runs as the server's account: PostgreSQL itself ignores ids of other accounts."""
    used.start()
    kill_server(used)
    place = layout(used)
    with subprocess.Popen(["/bin/sleep", "600"], cwd="/", **account_of(place.data).child_identity()) as stranger:
        try:
            for lock in (place.data / "postmaster.pid", place.socket_dir / ".s.PGSQL.5432.lock"):
                _, rest = lock.read_text().split("\n", 1)
                lock.write_text(f"{stranger.pid}\n{rest}")
            assert not used.running()
            assert not used.stop()
            assert used.start()
            assert stranger.poll() is None
        finally:
            stranger.kill()


@pytest.mark.parametrize("content", ["", "garbage\n", "999999999\n"])
def test_a_damaged_lock_file_does_not_prevent_a_start(used, content):
    (layout(used).data / "postmaster.pid").write_text(content)
    assert used.start()


def test_a_start_names_the_children_of_a_killed_server(used, monkeypatch):
    """They hold its shared memory. Once they have ended, a start succeeds."""
    monkeypatch.setattr(startup, "_MIN_STARTUP_S", AMPLE_S)  # each new server has time to log why it ends
    used.start()
    client = psycopg.connect(used.dsn())
    orphan = client.info.backend_pid
    os.kill(orphan, signal.SIGSTOP)  # like a child deep in a long statement, it does not notice the kill
    try:
        kill_server(used)
        with pytest.raises(EmbeddedPostgresError, match=rf"\b{orphan}\b.* wait(.|\n)*shared memory block"):
            used.start(timeout_s=1)
        assert not used.running()
    finally:
        os.kill(orphan, signal.SIGKILL)
        client.close()
    assert used.start()


@pytest.mark.parametrize("moment_s", [0.02, 0.3, 0.6])
def test_a_starter_killed_at_any_moment_does_not_prevent_a_start(folder, at, child, moment_s):
    server = at(folder / "home")
    starter = child(server.start)
    time.sleep(moment_s)
    starter.kill()
    server.start()
    assert answers(server)


def test_a_server_that_cannot_start_is_quoted(used):
    place = layout(used)
    conf = place.data / "postgresql.conf"
    good = conf.read_text()
    conf.write_text(good + "\nno_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError) as raised:
        used.start()
    assert str(place.log) in str(raised.value)
    assert 'unrecognized configuration parameter "no_such_setting"' in str(raised.value)
    conf.write_text(good)
    assert used.start()


def test_a_server_that_hangs_is_reported_and_can_be_stopped(used):
    used.start()
    (layout(used).socket_dir / ".s.PGSQL.5432").unlink()  # as a cleaner of /tmp would
    with pytest.raises(EmbeddedPostgresError, match=r"is alive but did not answer(.|\n)*stop it, then start it"):
        used.start(timeout_s=0.3)
    assert used.stop()
    assert used.start()


def test_a_start_moves_a_large_log_aside(used):
    log = layout(used).log
    assert "database system is shut down" in log.read_text()
    os.truncate(log, 20_000_000)
    used.start()
    assert log.stat().st_size < 10_000
    assert log.with_name("server.log.1").stat().st_size == 20_000_000


def test_the_settings_are_those_of_a_durable_station_in_utc(shared):
    wanted = {"timezone": "UTC", "log_timezone": "UTC", "fsync": "on", "synchronous_commit": "on",
              "full_page_writes": "on", "max_connections": "200", "server_encoding": "UTF8"}  # fmt: skip
    assert {name: one(shared, f"SHOW {name}")[0] for name in wanted} == wanted
