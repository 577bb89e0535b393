"""What a crash leaves behind, the next start mends without losing a commit; what it cannot mend it explains."""

import os
import resource as process_limits  # noqa: TID251 - the one place that means the standard library's
import signal
import subprocess
import time

import psycopg
import pytest

from resources.embedded_postgres import EmbeddedPostgresError, postmaster
from resources.embedded_postgres.account import account_of
from resources.embedded_postgres.layout import layout_of


def kill_server(server):
    """Kill the main process the hard way and wait until it is gone."""
    data = layout_of(server._home).data
    pid = postmaster.find(data)
    os.kill(pid, signal.SIGKILL)
    while postmaster.is_server(pid, data):
        time.sleep(0.01)


def wait_for(condition, timeout_s=20.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_kill_9_of_the_server_loses_nothing_that_was_committed(folder, used):
    used.start()
    with psycopg.connect(used.dsn()) as writer:
        writer.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
        writer.commit()
        writer.execute("INSERT INTO kept VALUES (-1)")
        kill_server(used)
        writer.close()
    assert not used.running()
    assert used.start()
    with psycopg.connect(used.dsn()) as reader:
        assert reader.execute("SELECT count(*), min(n) FROM kept").fetchone() == (1000, 1)


def test_a_lock_file_whose_process_id_is_another_programs_by_now_is_removed_and_that_program_lives(folder, used):
    used.start()
    kill_server(used)
    layout = layout_of(folder / "home")
    identity = account_of(layout.data).child_identity()  # of the same account: any other PostgreSQL itself ignores
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **identity) as stranger:
        try:
            for lock in (layout.data / "postmaster.pid", layout.socket_dir / ".s.PGSQL.5432.lock"):
                _, rest = lock.read_text().split("\n", 1)
                lock.write_text(f"{stranger.pid}\n{rest}")
            assert not used.running()
            assert not used.stop()
            assert used.start()
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_damaged_lock_file_does_not_prevent_a_start(folder, used):
    used.start()
    for content in ("", "garbage\n", "999999999\n"):
        used.stop()
        (layout_of(folder / "home").data / "postmaster.pid").write_text(content)
        assert used.start()


def test_orphans_of_a_killed_server_are_named_and_when_they_end_the_start_succeeds(folder, used):
    used.start()
    client = psycopg.connect(used.dsn())
    orphan = client.info.backend_pid
    os.kill(orphan, signal.SIGSTOP)  # stands for a backend deep in a long statement, which does not notice
    try:
        kill_server(used)
        with pytest.raises(EmbeddedPostgresError, match=rf"\b{orphan}\b.* wait(.|\n)*shared memory block"):
            used.start(timeout_s=1)
        assert not used.running()
    finally:
        os.kill(orphan, signal.SIGKILL)
        client.close()
    assert used.start()


@pytest.mark.parametrize("as_user", [False, True])
def test_initdb_killed_half_way_is_begun_anew(user_folder, at, child, as_user):
    state = user_folder / "home" / "postgres"
    server = at(user_folder / "home")
    starter = child(server.start, as_user=as_user)
    wait_for(lambda: list(state.glob("data.initdb-*/base")))
    starter.kill()
    assert not (state / "data").exists()

    def start_again():
        return server.start(), server.stop(), server.start(), server.stop()

    assert child(start_again, as_user=as_user).result() == (True, True, True, True)
    assert list(state.glob("data.initdb-*")) == []


@pytest.mark.parametrize("moment_s", [0.02, 0.3, 0.6])
def test_a_starter_killed_at_any_moment_leaves_something_that_starts(folder, at, child, moment_s):
    server = at(folder / "home")
    starter = child(server.start)
    time.sleep(moment_s)
    starter.kill()
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_data_of_another_major_is_refused_unchanged_with_the_way_out(folder, used):
    version = layout_of(folder / "home").data / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 17.* PostgreSQL 18.*pg_dumpall.* begin anew"):
        used.start()
    version.write_text("18\n")
    assert used.start()


def test_a_folder_of_other_files_is_not_taken_for_data(folder, at):
    data = folder / "home" / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "letter.txt").write_text("dear station")
    with pytest.raises(EmbeddedPostgresError, match=r"no PostgreSQL data directory\. Move it away"):
        at(folder / "home").start()
    assert (data / "letter.txt").read_text() == "dear station"


def test_a_server_that_cannot_start_is_quoted(folder, used):
    conf = layout_of(folder / "home").data / "postgresql.conf"
    good = conf.read_text()
    conf.write_text(good + "\nno_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError) as raised:
        used.start()
    assert str(folder / "home" / "postgres" / "server.log") in str(raised.value)
    assert 'unrecognized configuration parameter "no_such_setting"' in str(raised.value)
    conf.write_text(good)
    assert used.start()


def test_a_disk_that_takes_no_more_is_explained_and_leaves_nothing(folder, at, child):
    server = at(folder / "home")

    def start_with_small_files():
        process_limits.setrlimit(process_limits.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        with pytest.raises(
            EmbeddedPostgresError, match=r"initdb could not(.|\n)*File (too large|size limit)"
        ) as raised:
            server.start()
        return str(raised.value)

    assert "disk space" in child(start_with_small_files).result()
    assert sorted(p.name for p in (folder / "home" / "postgres").iterdir()) == ["lock", "socket"]
    assert server.start()


def test_a_server_that_hangs_is_reported_in_time_and_can_still_be_stopped(folder, used):
    used.start()
    layout = layout_of(folder / "home")
    (layout.socket_dir / ".s.PGSQL.5432").unlink()  # as a cleaner of /tmp would
    with pytest.raises(EmbeddedPostgresError, match=r"lives but did not answer(.|\n)*stop it, then start it"):
        used.start(timeout_s=0.3)
    assert used.stop()
    assert used.start()


def test_a_big_log_is_rotated_once_and_a_small_one_is_kept(folder, used):
    log = layout_of(folder / "home").log
    assert "database system is shut down" in log.read_text()
    os.truncate(log, 20_000_000)
    used.start()
    assert log.stat().st_size < 10_000
    assert log.with_name("server.log.1").stat().st_size == 20_000_000
