"""What EmbeddedPostgres promises to its callers."""

import os
import signal
import stat
import time
from pathlib import Path

import psycopg
import pytest
import sqlalchemy

from resources.embedded_postgres import EmbeddedPostgres, EmbeddedPostgresError, postmaster
from resources.embedded_postgres.layout import layout_of


def one(dsn, query):
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchone()


def layout(server):
    return layout_of(server._home)


def test_making_a_launcher_and_asking_it_touches_nothing(folder, at):
    server = at(folder / "home")
    assert not server.running()
    assert not server.stop()
    assert server.dsn()
    assert list(folder.iterdir()) == []


def test_only_the_call_that_started_the_server_says_so(folder, at):
    server = at(folder / "home")
    assert server.start()
    assert server.running()
    assert not server.start()
    assert server.stop()
    assert not server.running()
    assert not server.stop()


def test_data_outlives_a_restart_below_home(folder, at):
    server = at(folder / "home")
    before = server.dsn()
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    server.stop()
    assert server.start()
    assert server.dsn() == before
    assert one(before, "SELECT n FROM kept") == (7,)
    assert one(before, "SHOW data_directory") == (str(folder / "home" / "postgres" / "data"),)


def test_every_spelling_of_a_home_is_the_same_server(shared, folder, monkeypatch):
    home = shared._home
    (folder / "link").symlink_to(home)
    monkeypatch.chdir(home.parent)
    for spelling in (folder / "link", Path(home.name), home / ".." / home.name):
        assert EmbeddedPostgres(spelling).dsn() == shared.dsn()
        assert EmbeddedPostgres(spelling).running()


def test_the_dsn_serves_psycopg_and_both_sqlalchemy_drivers_whatever_the_environment_says(shared, monkeypatch):
    for name, value in {"PGPORT": "1", "PGHOST": "nowhere.invalid", "PGUSER": "root", "PGDATABASE": "no"}.items():
        monkeypatch.setenv(name, value)
    assert one(shared.dsn(), "SELECT current_user::text, current_database()::text") == ("wxyc", "postgres")
    for driver in ("psycopg", "psycopg2"):
        engine = sqlalchemy.create_engine(shared.dsn().replace("postgresql://", f"postgresql+{driver}://"))
        with engine.connect() as connection:
            query = "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"
            assert connection.execute(sqlalchemy.text(query)).scalar() is True
        engine.dispose()


def test_it_listens_on_a_private_socket_only_and_never_runs_as_root(shared):
    assert one(shared.dsn(), "SHOW listen_addresses") == ("",)
    place = layout(shared)
    pid = postmaster.find(place.data)
    server_uid = Path(f"/proc/{pid}").stat().st_uid
    folder = place.socket_dir.stat()
    assert (stat.S_IMODE(folder.st_mode), folder.st_uid) == (0o700, server_uid)
    assert server_uid != 0
    hba = one(shared.dsn(), "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules WHERE type = 'host'")
    assert hba == (["reject"],)


def test_settings_are_those_of_a_durable_station_in_utc(shared):
    wanted = {"timezone": "UTC", "log_timezone": "UTC", "fsync": "on", "synchronous_commit": "on",
              "full_page_writes": "on", "max_connections": "200", "server_encoding": "UTF8"}  # fmt: skip
    with psycopg.connect(shared.dsn()) as connection:
        rows = {name: connection.execute("SELECT current_setting(%s)", [name]).fetchone()[0] for name in wanted}
    assert rows == wanted


def test_the_server_inherits_no_secret_of_its_starter(folder, at, monkeypatch):
    monkeypatch.setenv("LML_API_KEY", "a-secret")
    server = at(folder / "home")
    server.start()
    pid = postmaster.find(layout(server).data)
    assert b"a-secret" not in Path(f"/proc/{pid}/environ").read_bytes()


@pytest.mark.parametrize("name", ["plain", "Quo\"ted na'me/%20", "wörter"])
def test_a_database_is_made_once_in_utf8_with_unicode_letters(shared, name):
    assert shared.ensure_database(name)
    assert not shared.ensure_database(name)
    assert one(shared.dsn(name), "SELECT current_database()::text, upper('ä'), 'Z' < 'a'") == (name, "Ä", True)


def test_concurrent_callers_make_a_database_once(shared, child):
    callers = [child(lambda: shared.ensure_database("contended")) for _ in range(8)]
    assert sorted(caller.result() for caller in callers) == [False] * 7 + [True]


@pytest.mark.parametrize("as_user", [False, True])
def test_of_eight_concurrent_cold_starters_one_starts_and_all_connect(user_folder, folder, at, child, as_user):
    server = at((user_folder if as_user else folder) / "home")
    gate = time.monotonic() + 0.3

    def start_and_connect():
        time.sleep(max(gate - time.monotonic(), 0))
        return server.start(), one(server.dsn(), "SELECT 1")

    starters = [child(start_and_connect, as_user=as_user) for _ in range(8)]
    results = [starter.result() for starter in starters]
    assert sorted(results) == [(False, (1,))] * 7 + [(True, (1,))]


def test_a_normal_user_has_a_server_of_its_own_in_a_private_folder(user_folder, at, user_does):
    server = at(user_folder / "home")

    def whole_life():
        started, answered = server.start(), one(server.dsn(), "SHOW data_directory")
        return started, answered, (user_folder / "home" / "postgres").stat().st_mode & 0o777, server.stop()

    assert user_does(whole_life) == (True, (str(user_folder / "home" / "postgres" / "data"),), 0o700, True)


def test_the_server_outlives_its_starter_and_a_ctrl_c_to_its_whole_group(folder, at, child):
    server = at(folder / "home")

    def start_then_ctrl_c():
        os.setsid()
        started = server.start()
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
            os.killpg(0, number)
        return started

    assert child(start_then_ctrl_c).result()
    assert server.running()
    pid = postmaster.find(layout(server).data)
    assert os.getsid(pid) != os.getsid(0)


def test_a_server_that_answers_with_another_data_directory_is_not_ours(shared, folder, at):
    ours = folder / "home" / "postgres"
    (ours / "data").mkdir(parents=True)
    (ours / "socket").symlink_to(layout(shared).socket_dir)
    server = at(folder / "home")
    assert one(server.dsn(), "SELECT 1") == (1,)
    assert not server.running()


def test_a_starter_waits_for_the_lock_no_longer_than_it_may(folder, at):
    import fcntl

    server = at(folder / "home")
    (folder / "home" / "postgres").mkdir(parents=True)
    with (folder / "home" / "postgres" / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = time.monotonic()
        with pytest.raises(EmbeddedPostgresError, match=r"Another process .*/postgres/lock"):
            server.start(timeout_s=0.2)
    assert 0.2 < time.monotonic() - before < 2
    assert server.start()


def test_a_folder_that_nobody_may_write_is_named_in_the_error(at, user_does):
    server = at(Path("/wxyc-not-for-users/home"))

    def failing_start():
        with pytest.raises(EmbeddedPostgresError, match=r"/wxyc-not-for-users.*[Pp]ermission"):
            server.start()

    user_does(failing_start)
