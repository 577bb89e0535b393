"""The promises of EmbeddedPostgres to its callers."""

import os
import signal
import stat
import time
from pathlib import Path

import psycopg
import pytest

from resources.embedded_postgres import EmbeddedPostgresError
from tests.resources.embedded_postgres.homes import AMPLE_S, layout, main_process, one


def test_a_launcher_that_only_answers_questions_creates_nothing(folder, at):
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
    assert one(server, "SELECT n FROM kept") == (7,)
    assert one(server, "SHOW data_directory") == (str(folder / "home" / "postgres" / "data"),)


def test_it_listens_on_a_private_socket_only_and_not_as_root(shared):
    assert one(shared, "SHOW listen_addresses") == ("",)
    server_uid = Path(f"/proc/{main_process(shared)}").stat().st_uid
    folder = layout(shared).socket_dir.stat()
    assert (stat.S_IMODE(folder.st_mode), folder.st_uid) == (0o700, server_uid)
    assert server_uid != 0
    hba = one(shared, "SELECT array_agg(DISTINCT auth_method) FROM pg_hba_file_rules WHERE type = 'host'")
    assert hba == (["reject"],)


def test_the_server_inherits_no_secret_of_its_starter(folder, at, monkeypatch):
    monkeypatch.setenv("LML_API_KEY", "a-secret")
    server = at(folder / "home")
    server.start()
    assert b"a-secret" not in Path(f"/proc/{main_process(server)}/environ").read_bytes()


@pytest.mark.parametrize("name", ["plain", "Quo\"ted na'me/%20", "wörter"])
def test_a_database_is_made_once_in_utf8_with_unicode_letters(shared, name):
    assert shared.ensure_database(name)
    assert not shared.ensure_database(name)
    assert one(shared, "SELECT current_database()::text, upper('ä'), 'Z' < 'a'", name) == (name, "Ä", True)


def test_concurrent_callers_make_a_database_once(shared, child):
    callers = [child(lambda: shared.ensure_database("contended")) for _ in range(8)]
    assert sorted(caller.result() for caller in callers) == [False] * 7 + [True]


@pytest.mark.parametrize("as_user", [False, True])
def test_of_eight_concurrent_starters_one_starts_all_connect(user_folder, folder, at, child, as_user):
    server = at((user_folder if as_user else folder) / "home")
    gate = time.monotonic() + 0.3

    def start_and_connect() -> tuple[bool, tuple[int]]:
        time.sleep(max(gate - time.monotonic(), 0))
        return server.start(), one(server, "SELECT 1")

    starters = [child(start_and_connect, as_user=as_user) for _ in range(8)]
    results = [starter.result() for starter in starters]
    assert sorted(results) == [(False, (1,))] * 7 + [(True, (1,))]


def test_a_normal_user_has_its_own_server_in_a_private_folder(user_folder, at, user_does):
    server = at(user_folder / "home")

    def whole_life() -> tuple[object, ...]:
        started, answered = server.start(), one(server, "SHOW data_directory")
        return started, answered, (user_folder / "home" / "postgres").stat().st_mode & 0o777, server.stop()

    assert user_does(whole_life) == (True, (str(user_folder / "home" / "postgres" / "data"),), 0o700, True)


def test_the_server_outlives_its_starter_and_a_ctrl_c(folder, at, child):
    """Ctrl-C and a hangup go to the whole process group of the starter."""
    server = at(folder / "home")

    def start_then_ctrl_c() -> bool:
        os.setsid()
        started = bool(server.start())
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
            os.killpg(0, number)
        return started

    assert child(start_then_ctrl_c).result()
    assert server.running()
    assert os.getsid(main_process(server)) != os.getsid(0)


def test_a_start_waits_for_another_starter_until_its_timeout(folder, at):
    import fcntl

    server = at(folder / "home")
    (folder / "home" / "postgres").mkdir(parents=True)
    with (folder / "home" / "postgres" / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(EmbeddedPostgresError, match=r"Another process .*/postgres/lock"):
            server.start(timeout_s=0.2)
    assert server.start(timeout_s=AMPLE_S)


def test_a_folder_without_write_permission_is_named_in_the_error(at, user_does):
    server = at(Path("/wxyc-not-for-users/home"))

    def failing_start() -> None:
        with pytest.raises(EmbeddedPostgresError, match=r"/wxyc-not-for-users.*[Pp]ermission"):
            server.start()

    user_does(failing_start)


def test_a_state_folder_that_others_can_change_is_refused(folder, at):
    state = folder / "home" / "postgres"
    state.mkdir(parents=True)
    if os.geteuid() == 0:
        os.chown(state, 12345, 12345)
    else:
        state.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match=r"belongs to user id .*Run this as that user"):
        at(folder / "home").start()
    assert list(state.iterdir()) == []
